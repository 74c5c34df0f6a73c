// The template of examples/infrastructure against AWS's specification of its resources: types, properties, values,
// attributes.
import { readFileSync } from 'node:fs';
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';

const specification = loadAwsServiceSpecSync();
const typeOf = (name) => specification.lookup('resource', 'cloudFormationType', 'equals', name)[0];
const isFunction = (value) => typeof value === 'object' && value !== null && Object.keys(value).length === 1 &&
  /^(Ref|Fn::.*)$/.test(Object.keys(value)[0]);

// What is wrong with a value of a type.
function* check(type, value, at, allowed) {
  if (isFunction(value)) {
    if ('Fn::If' in value) for (const branch of value['Fn::If'].slice(1)) yield* check(type, branch, at, allowed);
    return;
  }
  const wrong = (what) => `${at}: ${JSON.stringify(value).slice(0, 80)} is no ${what}`;
  switch (type.type) {
    case 'string':
    case 'date-time':
      if (typeof value === 'object') yield wrong('text');
      else if (type.allowedValues && !type.allowedValues.includes(String(value)))
        yield wrong(`one of ${type.allowedValues}`);
      else if (type.pattern && !new RegExp(type.pattern, 'u').test(String(value))) yield wrong(type.pattern);
      return;
    case 'integer':
      if (!Number.isInteger(value)) yield wrong('integer');
      return;
    case 'number':
      if (typeof value !== 'number') yield wrong('number');
      return;
    case 'boolean':
      if (typeof value !== 'boolean') yield wrong('boolean');
      return;
    case 'array':
      if (!Array.isArray(value)) yield wrong('list');
      else for (const [i, item] of value.entries()) yield* check(type.element, item, `${at}[${i}]`);
      return;
    case 'map':
      if (typeof value !== 'object' || Array.isArray(value)) yield wrong('map');
      else for (const [name, item] of Object.entries(value)) yield* check(type.element, item, `${at}.${name}`);
      return;
    case 'ref':
      yield* structure(specification.get('typeDefinition', type.reference.$ref).properties, value, at);
      return;
    case 'union':
      if (type.types.every((one) => [...check(one, value, at)].length > 0)) yield wrong('value that is allowed');
      return;
    case 'json':
    case 'tag':
      return;
    default:
      yield `${at}: the type ${type.type} is not known here`;
  }
}

function* structure(properties, value, at) {
  if (typeof value !== 'object' || Array.isArray(value)) {
    yield `${at}: ${JSON.stringify(value)} is no structure`;
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    if (properties[name]) yield* check(properties[name].type, item, `${at}.${name}`);
    else yield `${at}: there is no property ${name}`;
  }
  for (const [name, property] of Object.entries(properties))
    if (property.required && !(name in value)) yield `${at}: ${name} is missing`;
}

function* attributes(template, value, at) {
  if (typeof value !== 'object' || value === null) return;
  const wanted = 'Fn::GetAtt' in value ? [value['Fn::GetAtt']] : [];
  for (const text of [value['Fn::Sub']].flat())
    if (typeof text === 'string')
      wanted.push(...[...text.matchAll(/\$\{(\w+)\.(\w+)\}/g)].map((match) => [match[1], match[2]]));
  for (const [name, attribute] of wanted) {
    const type = template.Resources[name]?.Type;
    if (!type || !(attribute in (typeOf(type)?.attributes ?? {}))) yield `${at}: ${name} has no attribute ${attribute}`;
  }
  for (const [name, item] of Object.entries(value)) yield* attributes(template, item, `${at}.${name}`);
}

function* problems(template) {
  for (const [name, { Type, Properties = {} }] of Object.entries(template.Resources)) {
    if (!typeOf(Type)) yield `${name}: there is no type ${Type}`;
    else yield* structure(typeOf(Type).properties, Properties, name);
  }
  yield* attributes(template, template, '');
}

// What is broken on purpose is found.
const template = JSON.parse(readFileSync(process.env.TEMPLATE, 'utf8'));
const broken = [
  (r) => { r.Queue.Type = 'AWS::SQS::Fifo'; },
  (r) => { r.Queue.Properties.Fifo = true; },
  (r) => { r.Queue.Properties.FifoQueue = [true]; },
  (r) => { r.Queue.Properties.VisibilityTimeout = 'long'; },
  (r) => { delete r.FunctionSource.Properties.FunctionName; delete r.Function.Properties.Code; },
  (r) => { r.PublishMethod.Properties.Integration.Template = ''; },
  (r) => { delete r.Authorizer.Properties.RestApiId; },
  (r) => { r.FunctionRole.Properties.Policies[0] = 'consume'; },
  (r) => { r.FunctionRole.Properties.AssumeRolePolicyDocument = undefined; },
  (r) => { r.Queue.Properties.RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'] = ['DeadLetters', 'ARN']; },
  (r) => { r.Function.Properties.Description = { 'Fn::Sub': '${Queue.Name}' }; },
  (r) => { r.AgeAlarm.Properties.Dimensions = 'QueueName'; },
];
let failures = 0;
const fail = (what) => { ++failures; console.log(`failed: ${what}`); };
for (const problem of problems(template)) fail(problem);
for (const [i, sabotage] of broken.entries()) {
  const copy = structuredClone(template);
  sabotage(copy.Resources);
  const found = [...problems(JSON.parse(JSON.stringify(copy)))];
  if (found.length === 0) fail(`sabotage ${i} is not found`);
}
const count = Object.keys(template.Resources).length;
console.log(`${count} resources, broken in ${broken.length} ways, ${failures} failures`);
process.exit(failures ? 1 : 0);
