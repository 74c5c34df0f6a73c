"""The steps of this directory, by boto3. README.md says what they mean."""
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import sys

import boto3
import botocore.config
import botocore.exceptions
from botocore import xform_name

def make_client():
    config = botocore.config.Config(retries={"max_attempts": 0}, read_timeout=60, parameter_validation=False)
    return boto3.client("sqs", region_name=os.environ["AWS_REGION"], endpoint_url=os.environ["AWS_ENDPOINT_URL_SQS"],
                        config=config)


def show(value):
    return json.dumps(value, default=repr)[:300]


MATCHERS = {
    "$matches": lambda actual, pattern: re.fullmatch(pattern, str(actual)) is not None,
    "$not": lambda actual, other: actual is not None and actual != other,
    "$above": lambda actual, other: len(str(actual)) == len(other) and actual > other,
    "$present": lambda actual, _: actual is not None,
}


def member_of(value, name):
    if isinstance(value, list):
        return value[int(name)] if int(name) < len(value) else None
    return value.get(name) if isinstance(value, dict) else None


class Scenario:
    def __init__(self, errors):
        self.errors = errors
        self.client = make_client()
        self.client.meta.events.register("before-sign.sqs", self.add_headers)
        self.threads = concurrent.futures.ThreadPoolExecutor(4)
        self.variables = {"origin": os.environ["AWS_ENDPOINT_URL_SQS"]}
        self.started = {}
        self.steps = self.assertions = self.failed = 0
        self.step = None

    def add_headers(self, request, **_):
        for name, value in self.step.get("headers", {}).items():
            request.headers[name] = value

    def check(self, holds, what):
        self.assertions += 1
        if holds:
            return
        self.failed += 1
        print(f"failed: {self.step['step']}: {what}", flush=True)

    def resolve(self, value):
        """What a value of the file stands for."""
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+)\}", lambda match: self.variables[match[1]], value)
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$repeat" in value:
            return value["$repeat"] * value["times"]
        if "$base64" in value:
            return base64.b64decode(value["$base64"])
        return {name: self.resolve(member) for name, member in value.items()}

    def compare(self, actual, expected, path):
        differs = f"{path} is {show(actual)}, not {show(expected)}"
        if not isinstance(expected, (dict, list)):
            return self.check(actual == expected, differs)
        if isinstance(expected, list):
            self.check(isinstance(actual, list) and len(actual) == len(expected), differs)
            expected = {str(i): item for i, item in enumerate(expected)}
        for name, value in expected.items():
            if name in MATCHERS:
                self.check(MATCHERS[name](actual, value), differs)
            else:
                self.compare(member_of(actual, name), value, f"{path}.{name}")

    def call(self, step):
        answer = getattr(self.client, xform_name(step["call"]))(**self.resolve(step.get("with", {})))
        del answer["ResponseMetadata"]
        return answer

    def check_refused(self, error):
        if not isinstance(error, botocore.exceptions.ClientError):
            return self.check(False, repr(error)[:300])
        status, code, message = (error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"],
                                 error.response["Error"].get("Message"))
        self.check([status, code] == self.errors[self.step["error"]], f"the error is {status} {code}: {message}")
        if "message" in self.step:
            self.check(message == self.resolve(self.step["message"]), f"the message is {show(message)}")

    def check_answered(self, answer):
        if "error" in self.step:
            return self.check(False, f"the answer is {show(answer)}")
        if self.step.get("expect") == "nothing":
            return self.check(not answer, f"the answer is {show(answer)}")
        self.compare(answer, self.resolve(self.step.get("expect", {})), "the answer")
        for name, path in self.step.get("save", {}).items():
            value = answer
            for part in path.split("."):
                value = member_of(value, part)
            self.variables[name] = value
            if value is None:
                self.check(False, f"there is no {path} in {show(answer)}")

    def run(self, step):
        self.step = step
        self.steps += 1
        if "start" in step:
            self.started[step["start"]] = self.threads.submit(self.call, step)
            return
        try:
            answer = self.started[step["await"]].result() if "await" in step else self.call(step)
        except Exception as error:  # Whatever it is, it is the outcome of the step.
            if "error" in step:
                self.check_refused(error)
            else:
                self.check(False, repr(error)[:300])
            return
        try:
            self.check_answered(answer)
        except KeyError as error:
            self.check(False, f"{error} was not saved")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def main():
    directory = pathlib.Path(__file__).parent
    scenario = Scenario(read(directory / "errors.json"))
    for path in sorted(directory.glob("steps/*.json")):
        for step in read(path):
            scenario.run(step)
    protocol = scenario.client.meta.service_model.metadata["protocol"]
    print(f"boto3 {boto3.__version__}, protocol: {protocol}")
    print(f"{scenario.steps} steps, {scenario.assertions} assertions, {scenario.failed} failed")
    return 1 if scenario.failed or scenario.assertions < 60 else 0


if __name__ == "__main__":
    sys.exit(main())
