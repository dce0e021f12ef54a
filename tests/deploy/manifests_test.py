#!/usr/bin/env python3
"""manifests_test.py CONTACTSD: what deploy/ says of contactsd is true.

The Compose file, the Kubernetes manifests and the Dockerfile name flags that
contactsd has and files that are there, and leave it the time that stopping takes.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

CONTACTSD = sys.argv.pop(1)
DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
BASE = DEPLOY / "kubernetes/base"
EXAMPLE = DEPLOY / "kubernetes/example"
# Seconds that stopping takes beyond the longer of --drain_timeout and --mail_timeout.
STOP_MARGIN = 5


def environment_lines(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(s|m)?", str(text)).groups()
    return int(number) * (60 if unit == "m" else 1)


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.help = subprocess.run([CONTACTSD, "--help"], check=True, capture_output=True, text=True).stdout
        cls.variables = set(re.findall(r"\(Env:(CONTACTS_\w+)\)", cls.help))
        cls.compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
        cls.objects = [
            document
            for path in sorted(BASE.glob("*.yaml"))
            if path.name != "kustomization.yaml"
            for document in yaml.safe_load_all(path.read_text())
        ]
        cls.base = yaml.safe_load((BASE / "kustomization.yaml").read_text())
        cls.example = yaml.safe_load((EXAMPLE / "kustomization.yaml").read_text())

    def default(self, flag):
        return re.search(rf"--{flag} TEXT=(\S+)", self.help).group(1)

    def stopping(self, variables):
        drain = seconds(variables.get("CONTACTS_DRAIN_TIMEOUT", self.default("drain_timeout")))
        mail = seconds(variables.get("CONTACTS_MAIL_TIMEOUT", self.default("mail_timeout")))
        return max(drain, mail) + STOP_MARGIN

    def pod_specs(self):
        return {
            object_["kind"]: object_["spec"]["template"]["spec"]
            for object_ in self.objects
            if object_["kind"] in ("Deployment", "Job")
        }

    def config_maps(self):
        maps = {map_["name"]: environment_lines(BASE / map_["envs"][0]) for map_ in self.base["configMapGenerator"]}
        for map_ in self.example["configMapGenerator"]:
            literals = dict(literal.split("=", 1) for literal in map_.get("literals", []))
            maps[map_["name"]] = maps.get(map_["name"], {}) | literals
            for file in map_.get("files", []):
                self.assertTrue((EXAMPLE / file).is_file(), file)
                maps[map_["name"]][file] = ""
        return maps

    def test_variables_are_flags(self):
        files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix in (".yaml", ".env", ".service")]
        files.append(DEPLOY / "Dockerfile")
        named = {}
        for path in files:
            for variable in re.findall(r"\bCONTACTS_[A-Z_]+\b", path.read_text()):
                named.setdefault(variable, path.name)
        named.pop("CONTACTS_TESTS", None)  # CMake's.
        self.assertGreater(len(named), 15)
        self.assertEqual({name: file for name, file in named.items() if name not in self.variables}, {})

    def test_arguments_are_flags(self):
        arguments = set()
        for service in self.compose["services"].values():
            if "contactsd" in service.get("image", ""):
                arguments.update(service.get("command", []))
        for pod in self.pod_specs().values():
            for container in pod["containers"]:
                arguments.update(container.get("args", []))
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    if probe in container:
                        command = container[probe]["exec"]["command"]
                        self.assertEqual(command[0], "contactsd")
                        arguments.update(command[1:])
        arguments.update(re.findall(r'"(--\w+)', (DEPLOY / "Dockerfile").read_text()))
        self.assertGreaterEqual(len(arguments), 3)
        for argument in arguments:
            self.assertIn("CONTACTS_" + argument.split("=")[0][2:].upper(), self.variables, argument)

    def test_compose_names_files_that_are_there(self):
        with tempfile.TemporaryDirectory() as keys:
            script = DEPLOY / "compose/make-keys.sh"
            path = os.path.dirname(os.path.abspath(CONTACTSD)) + ":" + os.environ["PATH"]
            subprocess.run(["sh", script, keys], check=True, env=os.environ | {"PATH": path}, stderr=subprocess.DEVNULL)
            made = set(os.listdir(keys))
        for name, service in self.compose["services"].items():
            mounts = {}
            for volume in service.get("volumes", []):
                source, target = volume.split(":")[:2]
                if source.startswith("./"):
                    self.assertTrue((DEPLOY / source).exists(), source)
                    mounts[target] = source
            for value in re.findall(r"/keys/([\w.-]+)", str(service)):
                self.assertIn(value, made, name)
            for variable, value in (service.get("environment") or {}).items():
                if variable.startswith("CONTACTS_") and re.fullmatch(r"/etc/\S+", value):
                    self.assertIn(value, mounts, variable)
        subprocess.run(["promtool", "check", "config", "--syntax-only", DEPLOY / "compose/prometheus.yml"],
                       check=True, capture_output=True)

    def test_pods_mount_the_files_that_they_name(self):
        maps = self.config_maps()
        for kind, pod in self.pod_specs().items():
            container = pod["containers"][0]
            variables = maps[container["envFrom"][0]["configMapRef"]["name"]]
            volumes = {volume["name"]: volume for volume in pod["volumes"]}
            mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
            paths = {name: value for name, value in variables.items() if value.startswith("/")}
            self.assertGreaterEqual(len(paths), 2)
            for variable, path in paths.items():
                folder, file = path.rsplit("/", 1)
                self.assertIn(folder, mounts, f"{kind}: {variable}")
                if "configMap" in mounts[folder]:
                    self.assertIn(file, maps[mounts[folder]["configMap"]["name"]], variable)
            self.assertEqual({mount for mount in mounts if not any(p.startswith(mount) for p in paths.values())}, set())

    def test_pods_are_restricted(self):
        for kind, pod in self.pod_specs().items():
            self.assertTrue(pod["securityContext"]["runAsNonRoot"], kind)
            self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", kind)
            for container in pod["containers"]:
                context = container["securityContext"]
                self.assertFalse(context["allowPrivilegeEscalation"], kind)
                self.assertTrue(context["readOnlyRootFilesystem"], kind)
                self.assertEqual(context["capabilities"]["drop"], ["ALL"], kind)

    def test_stopping_has_its_time(self):
        maps = self.config_maps()
        pod = self.pod_specs()["Deployment"]
        before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        self.assertGreater(pod["terminationGracePeriodSeconds"], before + self.stopping(maps["contactsd"]))
        for name in ("contactsd-1", "contactsd-2"):
            service = self.compose["services"][name]
            self.assertGreater(seconds(service["stop_grace_period"]), self.stopping(service["environment"]))

    def test_there_is_one_version(self):
        version = subprocess.run([CONTACTSD, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
        self.assertEqual(re.search(r"^ARG VERSION=(\S+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)[1], version)
        images = [service["image"] for service in self.compose["services"].values()]
        self.assertIn(f"contactsd:{version}", images)
        self.assertEqual(self.example["images"][0]["newTag"], version)


if __name__ == "__main__":
    unittest.main()
