"""check.py TEMPLATE README: what must hold of the template, and that each rule notices when it does not."""
import copy
import os
import re
import sys

import rules
from template import load

path, readme = sys.argv[1:]
template = load(path)
failures = []


def resource(name):
    return lambda broken: broken["Resources"][name]["Properties"]


def put(target, name, value):
    """Sets or, with None, deletes a property."""
    def change(broken):
        if value is None:
            target(broken).pop(name)
        else:
            target(broken)[name] = value
    return change


def replace(method, old, new):
    def change(broken):
        templates = broken["Resources"][method]["Properties"]["Integration"]["RequestTemplates"]
        assert old in templates["application/json"]
        templates["application/json"] = templates["application/json"].replace(old, new)
    return change


def integration(broken):
    return broken["Resources"]["PublishMethod"]["Properties"]["Integration"]


def grant(broken):
    return broken["Resources"]["GatewayRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]


def responses(change):
    return lambda broken: change(resource("BatchMethod")(broken)["Integration"]["IntegrationResponses"])


def edit_format(old, new):
    def change(broken):
        log = broken["Resources"]["Stage"]["Properties"]["AccessLogSetting"]
        assert old in log["Format"]
        log["Format"] = log["Format"].replace(old, new)
    return change


queue, stage, source = resource("Queue"), resource("Stage"), resource("FunctionSource")
client = resource("Producer2Client")
SABOTAGE = {
    "every_reference_resolves": [put(queue, "QueueName", {"Ref": "Nothing"}),
                                 put(resource("Dashboard"), "DashboardName", {"Fn::Sub": "${Nothing}"}),
                                 put(stage, "Description", {"Fn::GetAtt": ["Nothing", "Arn"]})],
    "every_condition_resolves": [lambda b: b["Conditions"].pop("HasAlarmTopic")],
    "what_is_conditional_is_used_so": [
        lambda b: b["Outputs"].update(Other={"Value": {"Ref": "Producer2Client"}}),
        lambda b: b["Resources"]["FunctionRole"].pop("Condition")],
    "nothing_is_unused": [lambda b: b["Parameters"].update(Unused={"Type": "String"})],
    "it_is_plain": [lambda b: b.update(Transform="AWS::LanguageExtensions"),
                    lambda b: b["Resources"].update(Other={"Type": "Custom::Other", "Properties": {}})],
    "policies_grant_what_is_listed": [
        put(grant, "Action", "sqs:*"), put(grant, "Resource", "*"), put(grant, "Effect", "Deny"),
        lambda b: grant(b).update(NotAction="iam:*"),
        lambda b: b["Resources"].update(Other={"Type": "AWS::SQS::QueuePolicy", "Properties": {}})],
    "queues_keep_order_and_dead_letters": [
        put(queue, "FifoQueue", None), put(queue, "ContentBasedDeduplication", False),
        put(queue, "DeduplicationScope", "queue"), put(queue, "FifoThroughputLimit", "perQueue"),
        put(queue, "SqsManagedSseEnabled", None), put(queue, "RedrivePolicy", None),
        put(resource("DeadLetters"), "SqsManagedSseEnabled", False),
        put(resource("DeadLetters"), "RedriveAllowPolicy", {"redrivePermission": "allowAll"})],
    "clients_log_in_for_the_scope_only": [
        put(client, "GenerateSecret", False), put(client, "AllowedOAuthFlows", ["implicit"]),
        put(client, "AllowedOAuthScopes", ["other/scope"]), put(client, "ExplicitAuthFlows", None),
        put(client, "ClientName", {"Ref": "Producer3"}),
        lambda b: b["Resources"]["Producer2Client"].pop("DependsOn"),
        put(resource("Domain"), "Domain", "mine")],
    "routes_ask_for_a_scope": [
        put(resource("PublishMethod"), "AuthorizationScopes", None),
        put(resource("BatchMethod"), "AuthorizationType", "NONE"),
        put(integration, "PassthroughBehavior", "WHEN_NO_MATCH"),
        lambda b: integration(b)["RequestTemplates"].update({"text/plain": "$input.body"}),
        lambda b: b["Resources"]["Deployment"]["DependsOn"].pop()],
    "an_error_never_leaves_as_a_success": [
        responses(lambda r: r[-1].update(StatusCode="200")), responses(lambda r: r[0].pop("SelectionPattern")),
        responses(lambda r: r[0].update(SelectionPattern=r".*")), responses(lambda r: r.pop(1)),
        responses(lambda r: r.append({"SelectionPattern": "418", "StatusCode": "418"}))],
    "mappings_encode_what_comes_from_outside": [
        replace("PublishMethod", "$util.urlEncode($input.body)", "$input.body"),
        replace("PublishMethod", "$util.urlEncode($group)", "$group"),
        replace("PublishMethod", "$headers.get($name)", "$input.params('MessageGroupId')"),
        replace("PublishMethod", "$util.urlEncode($input.body)##", "$util.urlEncode($input.body)")],
    "logs_hold_no_secret": [
        edit_format("$context.error.responseType", "$context.error.message"),
        put(lambda b: stage(b)["MethodSettings"][0], "DataTraceEnabled", True),
        put(lambda b: stage(b)["MethodSettings"][0], "LoggingLevel", "INFO")],
    "requests_are_throttled": [put(lambda b: stage(b)["MethodSettings"][0], "ThrottlingRateLimit", None)],
    "function_reports_single_failures": [
        put(source, "FunctionResponseTypes", None), put(resource("Function"), "Timeout", 60),
        put(source, "EventSourceArn", {"Fn::GetAtt": ["DeadLetters", "Arn"]})],
    "alarms_watch_what_matters": [
        lambda b: b["Resources"].pop("DeadLetterAlarm"), lambda b: b["Resources"].pop("GatewayThrottleAlarm"),
        put(lambda b: resource("AgeAlarm")(b)["Dimensions"][0], "Value", {"Fn::GetAtt": ["DeadLetters", "QueueName"]})],
    "dashboard_has_the_nine_charts": [
        lambda b: resource("Dashboard")(b).update(DashboardBody={"Fn::Sub": resource("Dashboard")(b)["DashboardBody"][
            "Fn::Sub"].replace("SentMessageSize", "NumberOfMessagesSent")}),
        lambda b: resource("Dashboard")(b).update(DashboardBody={"Fn::Sub": "{"})],
    "outputs_are_the_environment": [
        lambda b: b["Outputs"].pop("ApiUrl"), lambda b: b["Outputs"].update(Other={"Value": "1"}),
        lambda b: b["Outputs"]["CognitoClientId"].update(Value={"Fn::GetAtt": ["Producer1Client", "ClientSecret"]}),
        put(resource("PublishResource"), "PathPart", "publish")],
}

for rule, problem in rules.problems(template):
    failures.append(f"{rule}: {problem}")
if os.path.getsize(path) > 51200:
    failures.append("CloudFormation takes no longer template than 51,200 bytes without a bucket")
with open(readme, encoding="utf-8") as file:
    text = file.read()
for name in sorted(rules.ENVIRONMENT):
    if f"`{name}`" not in text:
        failures.append(f"the README does not name {name}")

with open(os.path.join(os.path.dirname(path), "README.md"), encoding="utf-8") as file:
    text = file.read()
for name in template["Resources"]:
    if f"`{name}`" not in text and not re.fullmatch("Producer[2-4]Client", name):
        failures.append(f"the README of the template does not explain {name}")

broken_ways = 0
for rule in rules.RULES:
    for number, break_it in enumerate(SABOTAGE.get(rule.__name__, [])):
        broken_ways += 1
        broken = copy.deepcopy(template)
        break_it(broken)
        if not list(rule(broken)):
            failures.append(f"{rule.__name__} does not notice sabotage {number}")
    if rule.__name__ not in SABOTAGE:
        failures.append(f"{rule.__name__} is not tried")

for failure in failures:
    print("failed:", failure)
print(f"{len(rules.RULES)} rules, broken in {broken_ways} ways, {len(failures)} failures")
sys.exit(bool(failures))
