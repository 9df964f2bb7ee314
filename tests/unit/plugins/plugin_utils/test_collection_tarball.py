# Copyright (c) 2026, Dockyard contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives of collections: what ansible-galaxy installs, from a checkout and from an installed one."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from unittest import mock

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.dockyard.trusted_registry.plugins.action import collection_tarball as action
from ansible_collections.dockyard.trusted_registry.plugins.plugin_utils._collection_tarball import TarballError, tarball

GALAXY = "namespace: a\nname: b\nversion: 1.2.3\nreadme: README.md\nauthors: [me]\n"


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "ansible_collections" / "a" / "b"
    (folder / "plugins" / "modules" / "__pycache__").mkdir(parents=True)
    (folder / "README.md").write_text("read me", encoding="utf-8")
    (folder / "plugins" / "modules" / "x.py").write_text("X = 1\n", encoding="utf-8")
    (folder / "plugins" / "modules" / "__pycache__" / "x.pyc").write_bytes(b"x")
    return folder


def install(archive, target):
    command = [sys.executable, "-m", "ansible", "galaxy", "collection", "install", "--offline", str(archive), "-p", str(target)]
    done = subprocess.run(command, capture_output=True, check=False, encoding="utf-8", cwd=target)
    assert done.returncode == 0, done.stderr
    return target / "ansible_collections" / "a" / "b"


def test_an_installed_collection_of_which_files_were_left_out(source, out, tmp_path):
    listed = [{"name": "tests/left_out.py", "ftype": "file", "chksum_type": "sha256", "chksum_sha256": "0" * 64, "format": 1}]
    (source / "FILES.json").write_text(json.dumps({"files": listed, "format": 1}), encoding="utf-8")
    about = {"namespace": "a", "name": "b", "version": "1.2.3", "dependencies": {}, "authors": ["me"], "readme": "README.md"}
    manifest = {"collection_info": about, "file_manifest_file": {"chksum_sha256": "0" * 64}, "format": 1}
    (source / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    archive = tarball(str(source), str(out))
    assert archive == f"{out}/a-b-1.2.3.tar.gz"
    with tarfile.open(archive) as tar:
        assert tar.getnames()[:2] == ["MANIFEST.json", "FILES.json"]
        assert not [name for name in tar.getnames() if "__pycache__" in name]
        assert {member.uname for member in tar} == {""}
    installed = install(archive, tmp_path)
    assert (installed / "plugins" / "modules" / "x.py").read_text(encoding="utf-8") == "X = 1\n"


def test_a_checkout_is_built(source, out, tmp_path):
    (source / "galaxy.yml").write_text(GALAXY, encoding="utf-8")
    assert install(tarball(str(source), str(out)), tmp_path).is_dir()


def test_a_checkout_that_cannot_be_built(source, out):
    (source / "galaxy.yml").write_text("namespace: a\n", encoding="utf-8")
    with pytest.raises(TarballError, match="ansible-galaxy cannot build"):
        tarball(str(source), str(out))
    assert list(out.iterdir()) == []


def test_no_collection(source, out):
    with pytest.raises(TarballError, match=r"neither galaxy\.yml nor MANIFEST\.json"):
        tarball(str(source), str(out))


def run(arguments, check_mode=False):
    task = mock.MagicMock(action="collection_tarball", args=arguments, async_val=0, check_mode=check_mode, diff=False)
    plugin = action.ActionModule(task, mock.MagicMock(), mock.MagicMock(), mock.MagicMock(), mock.MagicMock(), mock.MagicMock())
    return plugin.run(task_vars={})


def test_the_controllers_own_collection(out):
    result = run({"collection": "community.crypto", "directory": str(out)})
    assert result["changed"] and result["archive"].startswith(f"{out}/community-crypto-")


def test_a_collection_that_is_not_there(out):
    with pytest.raises(AnsibleActionFail, match=r"no archive of no\.such was made: the collection no\.such is not installed here"):
        run({"collection": "no.such", "directory": str(out)})


def test_check_mode_makes_nothing(out):
    assert run({"collection": "community.crypto", "directory": str(out)}, check_mode=True)["skipped"]
    assert list(out.iterdir()) == []
