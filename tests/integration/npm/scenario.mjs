// node scenario.mjs DIRECTORY: the steps of tests/integration/sqs_scenario, by the SDK of AWS over the JSON protocol.
// README.md there says what they mean.
import { readdirSync, readFileSync } from 'node:fs';
import * as sqs from '@aws-sdk/client-sqs';

const directory = process.argv[2];
const read = (file) => JSON.parse(readFileSync(`${directory}/${file}`, 'utf8'));
const errors = read('errors.json');
const client = new sqs.SQSClient({ maxAttempts: 1 });
const variables = { origin: process.env.AWS_ENDPOINT_URL_SQS };
const started = {};
const count = { assertions: 0, failed: 0 };
let step;

const show = (value) => JSON.stringify(value)?.slice(0, 300) ?? 'nothing';

function check(holds, what) {
  ++count.assertions;
  if (holds) return;
  ++count.failed;
  console.log(`failed: ${step.step}: ${what()}`);
}

// What a value of the file stands for.
function resolve(value) {
  if (typeof value === 'string') {
    return value.replace(/\$\{(\w+)\}/g, (_, name) => {
      if (!(name in variables)) throw new Error(`${name} was not saved`);
      return variables[name];
    });
  }
  if (Array.isArray(value)) return value.map(resolve);
  if (value === null || typeof value !== 'object') return value;
  if ('$repeat' in value) return value.$repeat.repeat(value.times);
  if ('$base64' in value) return new Uint8Array(Buffer.from(value.$base64, 'base64'));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolve(member)]));
}

const at = (answer, path) => path.split('.').reduce((value, name) => value?.[name], answer);

const matchers = {
  $matches: (actual, pattern) => new RegExp(`^(?:${pattern})$`, 'u').test(`${actual}`),
  $not: (actual, other) => actual !== undefined && actual !== other,
  $above: (actual, other) => `${actual}`.length === other.length && actual > other,
  $present: (actual) => actual !== undefined,
};

function compare(actual, expected, path) {
  const differs = () => `${path} is ${show(actual)}, not ${show(expected)}`;
  if (expected === null) return check(actual === undefined, differs);
  if (expected instanceof Uint8Array)
    return check(actual instanceof Uint8Array && Buffer.compare(actual, expected) === 0, differs);
  if (typeof expected !== 'object') return check(actual === expected, differs);
  const [name] = Object.keys(expected);
  if (name in matchers) return check(matchers[name](actual, expected[name]), differs);
  if (Array.isArray(expected)) check(Array.isArray(actual) && actual.length === expected.length, differs);
  for (const [member, value] of Object.entries(expected)) compare(actual?.[member], value, `${path}.${member}`);
}

async function call() {
  const command = new sqs[`${step.call}Command`](resolve(step.with ?? {}));
  if (step.headers) {
    command.middlewareStack.add((next) => (args) => {
      Object.assign(args.request.headers, step.headers);
      return next(args);
    }, { step: 'build' });
  }
  const { $metadata, ...answer } = await client.send(command);
  return answer;
}

// The SDK has the name of errors that the service models, and the code of the query protocol for all.
function checkRefused(error) {
  const [status, code] = errors[step.error];
  const { name, Error: query, $metadata: { httpStatusCode } = {} } = error;
  check(name === step.error && query?.Code === code && httpStatusCode === status,
    () => `the error is ${httpStatusCode} ${name} ${query?.Code}: ${error.message}`);
  if (step.message) check(error.message === resolve(step.message), () => `the message is ${show(error.message)}`);
}

function checkAnswered(answer) {
  if (step.error) return check(false, () => `the answer is ${show(answer)}`);
  if (step.expect === 'nothing') return check(Object.keys(answer).length === 0, () => `the answer is ${show(answer)}`);
  if (step.expect) compare(answer, resolve(step.expect), 'the answer');
  for (const [name, path] of Object.entries(step.save ?? {})) {
    variables[name] = at(answer, path);
    if (variables[name] === undefined) check(false, () => `there is no ${path} in ${show(answer)}`);
  }
}

async function run() {
  let outcome;
  try {
    outcome = await (step.await ? started[step.await] : call()).then((answer) => ({ answer }), (error) => ({ error }));
  } catch (error) {
    outcome = { error };
  }
  try {
    if ('answer' in outcome) checkAnswered(outcome.answer);
    else if (step.error) checkRefused(outcome.error);
    else check(false, () => `${outcome.error}`);
  } catch (error) {
    check(false, () => error.message);
  }
}

let steps = 0;
for (const file of readdirSync(`${directory}/steps`).sort()) {
  for (step of read(`steps/${file}`)) {
    ++steps;
    if (!step.start) {
      await run();
      continue;
    }
    started[step.start] = call();
    started[step.start].catch(() => {});
  }
}
console.log(`${steps} steps, ${count.assertions} assertions, ${count.failed} failed`);
process.exit(count.failed > 0 || count.assertions < 60 ? 1 : 0);
