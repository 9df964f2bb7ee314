# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a request is refused."""

from __future__ import annotations


class Refused(Exception):
    """Becomes the error answer of the request.

    `code` is one of the documented words (DTR 2.7 API); `detail` is anything JSON can hold.
    """

    def __init__(self, status: int, code: str, message: str, detail=None):
        super().__init__(message)
        self.status, self.code, self.message, self.detail = status, code, message, detail

    def envelope(self) -> dict:
        """`{"errors": [{"code", "message", "detail"}]}` (field observation; UCP's bulk results hold the same object)."""
        error = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["detail"] = self.detail
        return {"errors": [error]}


def not_authenticated(message: str = "The credentials are missing or wrong.") -> Refused:
    return Refused(401, "NOT_AUTHENTICATED", message)


def not_authorized(message: str = "The caller may not do this.") -> Refused:
    return Refused(403, "NOT_AUTHORIZED", message)
