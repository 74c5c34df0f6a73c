"""What must hold of examples/infrastructure/template.yaml. Each rule yields what is wrong."""
import json
import re

from template import walk

PSEUDO = {"AWS::AccountId", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName",
          "AWS::URLSuffix"}

# All that is granted: to whom, what, on what.
QUEUE = {"Fn::GetAtt": ["Queue", "Arn"]}
GRANTS = {
    "GatewayRole": ("apigateway.amazonaws.com", [(["sqs:SendMessage"], QUEUE)]),
    "FunctionRole": ("lambda.amazonaws.com", [
        (["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"], QUEUE),
        (["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": ["FunctionLog", "Arn"]}),
    ]),
    "GatewayLogging": ("apigateway.amazonaws.com", []),
}
MANAGED = {"GatewayLogging": ["AmazonAPIGatewayPushToCloudWatchLogs"]}

CHARTS = {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesDelayed",
          "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesVisible", "NumberOfEmptyReceives",
          "NumberOfMessagesDeleted", "NumberOfMessagesReceived", "NumberOfMessagesSent", "SentMessageSize"}
ALARMS = {("AWS/SQS", "ApproximateAgeOfOldestMessage"), ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
          ("AWS/ApiGateway", "4XXError"), ("AWS/ApiGateway", "5XXError"), ("AWS/Lambda", "Throttles")}
# Of the README's table; COGNITO_CLIENT_SECRET is a secret, and COGNITO_TOKEN_URL instead of the prefix.
ENVIRONMENT = {"API_URL", "AWS_REGION", "COGNITO_CLIENT_ID", "COGNITO_CLIENT_SCOPE", "COGNITO_URL_PREFIX",
               "SQS_QUEUE_URL"}
LOGGED = {"requestTimeEpoch", "requestId", "authorizer.claims.client_id", "identity.sourceIp", "httpMethod",
          "resourcePath", "status", "integration.status", "error.responseType", "responseLatency", "responseLength"}


RULES = []


def rule(function):
    RULES.append(function)
    return function


def of_type(template, kind):
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def as_list(value):
    return value if isinstance(value, list) else [value]


def references(value):
    """The names that a value refers to, with the way there; ATTRIBUTE is None for a Ref."""
    for path, item in walk(value):
        if not isinstance(item, dict) or len(item) != 1:
            continue
        if "Ref" in item:
            yield path, item["Ref"], None
        elif "Fn::GetAtt" in item:
            yield path, item["Fn::GetAtt"][0], item["Fn::GetAtt"][1]
        elif "Fn::Sub" in item:
            text, own = item["Fn::Sub"] if isinstance(item["Fn::Sub"], list) else (item["Fn::Sub"], {})
            for name in re.findall(r"\$\{([^!}]+)\}", text):
                if name not in own:
                    yield (path, *name.split(".", 1)) if "." in name else (path, name, None)


@rule
def every_reference_resolves(template):
    parameters, resources = set(template["Parameters"]), template["Resources"]
    for path, name, attribute in references(template):
        if attribute is None and name not in parameters | set(resources) | PSEUDO:
            yield f"{path}: there is no {name}"
        if attribute is not None and name not in resources:
            yield f"{path}: there is no resource {name}"
    for name, resource in resources.items():
        for other in as_list(resource.get("DependsOn", [])):
            if other not in resources:
                yield f"{name} depends on {other}, which there is not"


@rule
def every_condition_resolves(template):
    conditions = set(template["Conditions"])
    for path, value in walk(template):
        used = []
        if isinstance(value, dict) and "Fn::If" in value:
            used.append(value["Fn::If"][0])
        if path and path[-1] == "Condition" and isinstance(value, str):
            used.append(value)
        for name in used:
            if name not in conditions:
                yield f"{path}: there is no condition {name}"


@rule
def what_is_conditional_is_used_so(template):
    """A resource with a condition is referred to under the same condition, or inside an Fn::If of it."""
    conditions = {name: resource.get("Condition") for name, resource in template["Resources"].items()}
    for section in ("Resources", "Outputs"):
        for name, item in template[section].items():
            for path, target, _ in references(item):
                wanted = conditions.get(target)
                if wanted in (None, item.get("Condition")):
                    continue
                around = item
                for step in path:
                    around = around[step]
                    if isinstance(around, list) and around and around[0] == wanted:
                        break
                else:
                    yield f"{name} refers to {target}, which there is only under {wanted}"


@rule
def nothing_is_unused(template):
    used = {name for _, name, _ in references(template)}
    for parameter in set(template["Parameters"]) - used:
        yield f"the parameter {parameter} is not used"
    named = {value["Fn::If"][0] for _, value in walk(template) if isinstance(value, dict) and "Fn::If" in value}
    named |= {resource.get("Condition") for resource in template["Resources"].values()}
    for condition in set(template["Conditions"]) - named:
        yield f"the condition {condition} is not used"


@rule
def it_is_plain(template):
    for section in set(template) - {"AWSTemplateFormatVersion", "Description", "Parameters", "Conditions", "Resources",
                                    "Outputs"}:
        yield f"there is a section {section}"
    for name, resource in template["Resources"].items():
        if not re.fullmatch(r"AWS::(?!Serverless|CloudFormation)\w+::\w+", resource["Type"]):
            yield f"{name} is of type {resource['Type']}"


@rule
def policies_grant_what_is_listed(template):
    allowed = ("AWS::IAM::Role",)
    for name, resource in template["Resources"].items():
        if resource["Type"].startswith("AWS::IAM::") and resource["Type"] not in allowed:
            yield f"{name} is of type {resource['Type']}"
        if "Policy" in resource["Type"].rsplit("::", 1)[1] or resource["Type"] == "AWS::Lambda::Permission":
            yield f"{name} grants rights outside a role"
    roles = of_type(template, "AWS::IAM::Role")
    if set(roles) != set(GRANTS):
        yield f"the roles are {sorted(roles)}"
    for name, role in roles.items():
        service, statements = GRANTS.get(name, ("", []))
        properties = role["Properties"]
        assume = properties["AssumeRolePolicyDocument"]["Statement"]
        if assume != [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]:
            yield f"{name} may be assumed by others than {service}"
        granted = []
        for policy in properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if set(statement) != {"Effect", "Action", "Resource"} or statement["Effect"] != "Allow":
                    yield f"{name} has the statement {statement}"
                granted.append((as_list(statement.get("Action")), statement.get("Resource")))
        if granted != statements:
            yield f"{name} grants {granted}"
        managed = [arn["Fn::Sub"].rsplit("/", 1)[1] for arn in properties.get("ManagedPolicyArns", [])]
        if managed != MANAGED.get(name, []):
            yield f"{name} has the policies {managed}"


@rule
def queues_keep_order_and_dead_letters(template):
    queues = {name: queue["Properties"] for name, queue in of_type(template, "AWS::SQS::Queue").items()}
    if set(queues) != {"Queue", "DeadLetters"}:
        yield f"the queues are {sorted(queues)}"
        return
    wanted = {"FifoQueue": True, "ContentBasedDeduplication": True, "DeduplicationScope": "messageGroup",
              "FifoThroughputLimit": "perMessageGroupId", "SqsManagedSseEnabled": True,
              "MessageRetentionPeriod": 1209600}
    for name, queue in queues.items():
        for attribute, value in wanted.items():
            if queue.get(attribute) is not value and queue.get(attribute) != value:
                yield f"{name} has {attribute} {queue.get(attribute)}"
        if not queue["QueueName"]["Fn::Sub"].endswith(".fifo"):
            yield f"{name} is not named as a FIFO queue"
    redrive = queues["Queue"].get("RedrivePolicy", {})
    if redrive != {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]},
                   "maxReceiveCount": {"Ref": "MaxReceiveCount"}}:
        yield f"the dead letters go by {redrive}"
    allow = queues["DeadLetters"].get("RedriveAllowPolicy", {})
    source = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:" + queues["Queue"]["QueueName"]["Fn::Sub"]
    if allow != {"redrivePermission": "byQueue", "sourceQueueArns": [{"Fn::Sub": source}]}:
        yield f"dead letters are taken by {allow}"


@rule
def clients_log_in_for_the_scope_only(template):
    server = of_type(template, "AWS::Cognito::UserPoolResourceServer")["Scopes"]["Properties"]
    scopes = [{"Fn::Sub": f"${{{server['Identifier']['Ref']}}}/{scope['ScopeName']}"} for scope in server["Scopes"]]
    clients = of_type(template, "AWS::Cognito::UserPoolClient")
    if "Producer1Client" not in clients or "Condition" in clients["Producer1Client"]:
        yield "there is no first producer"
    for name, client in clients.items():
        producer, properties = name.removesuffix("Client"), client["Properties"]
        wanted = {"ClientName": {"Ref": producer}, "GenerateSecret": True, "AllowedOAuthFlowsUserPoolClient": True,
                  "AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": scopes,
                  "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"], "UserPoolId": {"Ref": "UserPool"}}
        for property, value in wanted.items():
            if properties.get(property) != value:
                yield f"{name} has {property} {properties.get(property)}"
        if client.get("DependsOn") != "Scopes":
            yield f"{name} may come before its scopes"
        if producer != "Producer1" and client.get("Condition") != "Has" + producer:
            yield f"{name} is there under {client.get('Condition')}"
    domain = template["Resources"]["Domain"]["Properties"]["Domain"]
    if domain != template["Outputs"]["CognitoUrlPrefix"]["Value"]:
        yield "the prefix is not that of the domain"


@rule
def routes_ask_for_a_scope(template):
    methods = of_type(template, "AWS::ApiGateway::Method")
    if set(methods) != {"PublishMethod", "BatchMethod"}:
        yield f"the methods are {sorted(methods)}"
    for name, method in methods.items():
        properties = method["Properties"]
        wanted = {"HttpMethod": "POST", "AuthorizationType": "COGNITO_USER_POOLS",
                  "AuthorizerId": {"Ref": "Authorizer"},
                  "AuthorizationScopes": [{"Fn::Sub": "${ResourceServer}/publish"}]}
        for property, value in wanted.items():
            if properties.get(property) != value:
                yield f"{name} has {property} {properties.get(property)}"
        if name not in template["Resources"]["Deployment"]["DependsOn"]:
            yield f"the deployment does not wait for {name}"
        integration = properties["Integration"]
        uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Queue.QueueName}"
        wanted = {"Type": "AWS", "IntegrationHttpMethod": "POST", "PassthroughBehavior": "NEVER",
                  "TimeoutInMillis": 29000, "Credentials": {"Fn::GetAtt": ["GatewayRole", "Arn"]},
                  "Uri": {"Fn::Sub": uri}}
        for property, value in wanted.items():
            if integration.get(property) != value:
                yield f"{name} has {property} {integration.get(property)}"
        if list(integration["RequestTemplates"]) != ["application/json"]:
            yield f"{name} maps {list(integration['RequestTemplates'])}"
    authorizer = template["Resources"]["Authorizer"]["Properties"]
    pool = [{"Fn::GetAtt": ["UserPool", "Arn"]}]
    if authorizer["Type"] != "COGNITO_USER_POOLS" or authorizer["ProviderARNs"] != pool:
        yield "the authorizer is not that of the user pool"


def status_of(method, status):
    """What a status of the queue's becomes: of the one pattern that matches it, else of the response without one."""
    responses = method["Properties"]["Integration"]["IntegrationResponses"]
    matching = [r for r in responses if "SelectionPattern" in r and re.fullmatch(r["SelectionPattern"], str(status))]
    if len(matching) > 1:
        return f"{len(matching)} at once"
    rest = [r for r in responses if "SelectionPattern" not in r]
    return int((matching or rest)[0]["StatusCode"]) if len(matching or rest) == 1 else "nothing"


@rule
def an_error_never_leaves_as_a_success(template):
    for name, method in of_type(template, "AWS::ApiGateway::Method").items():
        for status in range(100, 600):
            kept = status in (200, 400, 403, 404, 413, 429, 500, 503)
            wanted = status if kept else 200 if 200 <= status < 300 else 500
            if status_of(method, status) != wanted:
                yield f"{name} makes {status_of(method, status)} of {status}"
        declared = {response["StatusCode"] for response in method["Properties"]["MethodResponses"]}
        for response in method["Properties"]["Integration"]["IntegrationResponses"]:
            if response["StatusCode"] not in declared:
                yield f"{name} does not declare {response['StatusCode']}"


def mapping(template, method):
    templates = template["Resources"][method]["Properties"]["Integration"]["RequestTemplates"]
    text = templates["application/json"]
    return text["Fn::Sub"] if isinstance(text, dict) else text


@rule
def mappings_encode_what_comes_from_outside(template):
    """No value of the request stands in the form but as an argument of $util.urlEncode."""
    silent = r"^(#if\(.*\))?#(set|foreach)\(.*\)(#end)?##$"
    text = re.sub(silent, "", mapping(template, "PublishMethod"), flags=re.M)
    text = re.sub(r'#if\(\$\w+ != ""\)', "", text)
    for outside in re.findall(r"\$\S+", re.sub(r"\$util\.urlEncode\(\$[\w.]+\)", "", text)):
        yield f"the form holds {outside} as it came"
    for method in ("PublishMethod", "BatchMethod"):
        for line in mapping(template, method).splitlines()[:-1]:
            if not line.endswith("##"):
                yield f"{method}: the end of the line \"{line}\" would be sent"
        if "input.params('" in mapping(template, method):
            yield f"{method}: query parameters would come before headers"


@rule
def logs_hold_no_secret(template):
    stage = template["Resources"]["Stage"]["Properties"]
    form = stage["AccessLogSetting"]["Format"]
    fields = set(re.findall(r"\$context\.([\w.]+)", form))
    if fields != LOGGED:
        yield f"the access log has {sorted(fields ^ LOGGED)}"
    if set(json.loads(form).values()) != {"$context." + field for field in LOGGED} or "\n" in form:
        yield "the access log is not one line of JSON"
    for setting in stage["MethodSettings"]:
        if setting.get("LoggingLevel") != "OFF" or setting.get("DataTraceEnabled") is not False:
            yield "the execution log is on"


@rule
def requests_are_throttled(template):
    settings = template["Resources"]["Stage"]["Properties"]["MethodSettings"]
    if [(s.get("ResourcePath"), s.get("HttpMethod"), s.get("ThrottlingRateLimit"), s.get("ThrottlingBurstLimit"))
            for s in settings] != [("/*", "*", {"Ref": "ThrottleRate"}, {"Ref": "ThrottleBurst"})]:
        yield "the routes are not throttled"


@rule
def function_reports_single_failures(template):
    source = template["Resources"]["FunctionSource"]["Properties"]
    if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        yield "a failure would repeat the whole batch"
    if source.get("EventSourceArn") != QUEUE:
        yield "the function has another queue"
    function = template["Resources"]["Function"]["Properties"]
    if (function["Runtime"], function["Handler"]) != ("provided.al2023", "bootstrap"):
        yield "the function is not a custom runtime"
    visible = template["Resources"]["Queue"]["Properties"].get("VisibilityTimeout", 30)
    if visible < 6 * function["Timeout"]:
        yield f"the queue waits {visible} s for a function of {function['Timeout']} s"
    for parameter, least in (("BatchSize", 1), ("MaxReceiveCount", 5)):
        if template["Parameters"][parameter]["MinValue"] != least:
            yield f"{parameter} may be less than {least}"


@rule
def alarms_watch_what_matters(template):
    alarms = [alarm["Properties"] for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()]
    watched = {(a["Namespace"], a["MetricName"]) for a in alarms if isinstance(a["Namespace"], str)}
    if watched != ALARMS:
        yield f"the alarms are {sorted(watched ^ ALARMS)}"
    filters = [f["Properties"] for f in of_type(template, "AWS::Logs::MetricFilter").values()]
    made = [(t["MetricNamespace"], t["MetricName"]) for f in filters for t in f["MetricTransformations"]]
    own = [(a["Namespace"], a["MetricName"]) for a in alarms if not isinstance(a["Namespace"], str)]
    if own != made or '"429"' not in filters[0]["FilterPattern"]:
        yield f"the gateway's throttles are not watched: {own}, {made}"
    for alarm in alarms:
        for dimension in alarm.get("Dimensions", []):
            if dimension["Name"] == "QueueName":
                letters = alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
                if dimension["Value"] != {"Fn::GetAtt": ["DeadLetters" if letters else "Queue", "QueueName"]}:
                    yield f"{alarm['AlarmDescription']}: of another queue"
            name = template["Resources"]["Api"]["Properties"]["Name"]
            if dimension["Name"] == "ApiName" and dimension["Value"] != name:
                yield f"{alarm['AlarmDescription']}: of another API"


@rule
def dashboard_has_the_nine_charts(template):
    text = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    try:
        widgets = json.loads(text)["widgets"]
    except ValueError as error:
        yield f"the dashboard is no JSON: {error}"
        return
    if {w["properties"]["metrics"][0][1] for w in widgets} != CHARTS or len(widgets) != len(CHARTS):
        yield f"the charts are {[w['properties']['metrics'][0][1] for w in widgets]}"
    if len({(w["x"], w["y"]) for w in widgets}) != len(widgets):
        yield "charts lie on each other"
    for widget in widgets:
        if widget["properties"]["metrics"][0][2:] != ["QueueName", "${Queue.QueueName}"]:
            yield f"{widget['properties']['title']}: of another queue"


@rule
def outputs_are_the_environment(template):
    names = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper() for name in template["Outputs"]}
    if names != ENVIRONMENT:
        yield f"the outputs are {sorted(names ^ ENVIRONMENT)}"
        return
    for path, _, attribute in references(template["Outputs"]):
        if attribute == "ClientSecret":
            yield f"{path}: anyone who sees the stack would see a secret"
    publish, url = template["Resources"]["PublishResource"]["Properties"], template["Outputs"]["ApiUrl"]["Value"]
    if not url["Fn::Sub"].endswith("${Stage}/" + publish["PathPart"]):
        yield "API_URL is not that of the route"
    if template["Resources"]["BatchResource"]["Properties"]["PathPart"] != "batch":
        yield "the batch route is elsewhere"


def problems(template):
    return [(check.__name__, problem) for check in RULES for problem in check(template)]
