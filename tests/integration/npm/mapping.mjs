// The mapping templates of examples/infrastructure, rendered as API Gateway would: what they make of a request goes to
// local_cloud's SQS, the request itself to its gateway, and both do the same.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import velocity from 'velocityjs';

const { API_URL, COGNITO_TOKEN_URL, COGNITO_CLIENT_ID, COGNITO_CLIENT_SECRET, SQS_QUEUE_URL, AWS_REGION,
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
const { Resources } = JSON.parse(readFileSync(process.env.TEMPLATE, 'utf8'));

// What Java's URLEncoder does, which is behind $util.urlEncode.
const urlEncode = (text) => encodeURIComponent(text).replace(/%20/g, '+')
  .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const javaMap = (object) => ({ keySet: () => Object.keys(object), get: (name) => object[name] });

class NoJson extends Error {}

// $input of a request. What $input.json gives for what is not there is not documented: `missing`.
function inputOf({ body = '', headers = {}, query = {} }, missing) {
  const read = () => {
    try {
      return JSON.parse(body === '' ? '{}' : body);
    } catch {
      throw new NoJson();
    }
  };
  return {
    body: body === '' ? '{}' : body,
    params: (name) => name === undefined
      ? { path: javaMap({}), querystring: javaMap(query), header: javaMap(headers) }
      : query[name] ?? headers[name] ?? '',
    json: (path) => {
      const value = read()?.[path.replace(/^\$\./, '')];
      return value === undefined ? missing : JSON.stringify(value);
    },
  };
}

function render(method, request, missing = '') {
  const { RequestTemplates, RequestParameters } = Resources[method].Properties.Integration;
  const mapped = RequestTemplates['application/json'];
  const template = (mapped['Fn::Sub'] ?? mapped).replaceAll('${Queue}', SQS_QUEUE_URL);
  const headers = Object.fromEntries(Object.entries(RequestParameters).map(([name, value]) =>
    [name.replace('integration.request.header.', ''), value.replace(/^'(.*)'$/, '$1')]));
  return { headers, body: velocity.render(template, { input: inputOf(request, missing), util: { urlEncode } }) };
}

function statusOf(method, status) {
  const responses = Resources[method].Properties.Integration.IntegrationResponses;
  const chosen = responses.find((r) => r.SelectionPattern && new RegExp(`^(?:${r.SelectionPattern})$`).test(status));
  return Number((chosen ?? responses.find((r) => !r.SelectionPattern)).StatusCode);
}

// A request to the queue's URL, signed.
async function sqs(headers, body) {
  const url = new URL(SQS_QUEUE_URL);
  const hash = (text) => createHash('sha256').update(text).digest('hex');
  const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const signed = { ...headers, Host: url.host, 'X-Amz-Date': time };
  const names = Object.keys(signed).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const list = names.map((name) => name.toLowerCase()).join(';');
  const lines = names.map((name) => `${name.toLowerCase()}:${signed[name]}`);
  const canonical = ['POST', url.pathname, '', ...lines, '', list, hash(body)].join('\n');
  const scope = `${time.slice(0, 8)}/${AWS_REGION}/sqs/aws4_request`;
  const key = scope.split('/').reduce(hmac, `AWS4${AWS_SECRET_ACCESS_KEY}`);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash(canonical)}`).toString('hex');
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${list}, Signature=${signature}`;
  delete signed.Host;
  return fetch(url, { method: 'POST', headers: { ...signed, Authorization: authorization }, body });
}

const call = async (operation, body) => (await sqs(
  { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `AmazonSQS.${operation}` },
  JSON.stringify({ QueueUrl: SQS_QUEUE_URL, ...body }))).text();

async function received() {
  const all = [];
  for (;;) {
    const { Messages } = JSON.parse(await call('ReceiveMessage',
      { MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] }));
    if (!Messages) return all;
    for (const message of Messages) {
      all.push(message);
      await call('DeleteMessage', { ReceiptHandle: message.ReceiptHandle });
    }
  }
}

const { access_token: token } = await (await fetch(COGNITO_TOKEN_URL, {
  method: 'POST',
  headers: { Authorization: `Basic ${btoa(`${COGNITO_CLIENT_ID}:${COGNITO_CLIENT_SECRET}`)}` },
  body: new URLSearchParams({ grant_type: 'client_credentials' }),
})).json();
const standing = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
const gateway = (path, headers, body) => fetch(API_URL + path,
  { method: 'POST', headers: { ...standing, ...headers }, body });

// An answer without what is new in each, or differs because the two ways have groups of their own.
async function answer(response, status = response.status) {
  const text = await response.text();
  const plain = JSON.stringify(JSON.parse(text.replace(/-(mapped|model)/g, '')), (name, value) =>
    ['MessageId', 'SequenceNumber', 'RequestId'].includes(name) && typeof value === 'string' ? 'ID' : value);
  return { status, body: plain };
}

const bodies = [
  'plain', '{"total": 42}', 'a=b', 'a&b', '1+1', '100%', '%41%26', '"quoted"', "it's", '\\ \\n', 'a\nb\r\nc\td', ' ',
  ' led and trailed ', 'ü ß € 漢字', 'emoji 🎉👩‍👩‍👧', '~!@#$^*()_+-=[]{}|;:,./<>?', '$input.body', '$util.urlEncode("x")',
  '#set($group = "evil")', '#if(true)', '## comment', '$!{group}', '&MessageGroupId=evil', '&MessageBody=evil',
  '&Action=DeleteQueue', '&MessageDeduplicationId=evil',
  'x&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=evil',
  '%26MessageGroupId=evil', '&QueueUrl=http%3A%2F%2Fevil',
  '', 'x'.repeat(300000), '\u0001', '\ufffe', '&amp;', '<a/>', '\u00a0', '\u2028\u2029',
];
const groups = ['g', 'g&MessageBody=evil', 'a+b', '100%', 'a=b', "'\"`", '$group', '#end', '~!@*()', '<>[]{}|'];

let cases = 0;
let accepted = [];

// One request by both ways. Its group and ids differ, because the queue is one.
async function publish({ body, group, deduplication, names = (name) => name, query = {}, ways = ['mapped', 'model'] }) {
  const answers = [];
  for (const way of ways) {
    const headers = {};
    if (group !== undefined) headers[names('MessageGroupId')] = group === '' ? '' : `${group}-${way}`;
    if (deduplication !== undefined) headers[names('MessageDeduplicationId')] = `${deduplication}-${way}`;
    let result;
    if (way === 'mapped') {
      const request = render('PublishMethod', { body, headers, query });
      const wanted = [['Action', 'SendMessage'], ['MessageBody', body === '' ? '{}' : body]];
      if (group) wanted.push(['MessageGroupId', `${group}-mapped`]);
      if (deduplication !== undefined) wanted.push(['MessageDeduplicationId', `${deduplication}-mapped`]);
      assert.deepEqual([...new URLSearchParams(request.body)], wanted);
      const response = await sqs(request.headers, request.body);
      result = await answer(response, statusOf('PublishMethod', response.status));
    } else {
      const search = new URLSearchParams(query).toString();
      result = await answer(await gateway(search && `?${search}`, headers, body));
    }
    answers.push(result);
    if (result.status === 200) accepted.push({ body: body === '' ? '{}' : body, group: `${group}-${way}` });
  }
  assert.deepEqual(answers[0], answers.at(-1), JSON.stringify({ body: body.slice(0, 80), group, deduplication }));
  ++cases;
  return answers[0].status;
}

const statuses = new Set();
for (const [i, body] of bodies.entries()) statuses.add(await publish({ body, group: `b${i}`, deduplication: `d${i}` }));
for (const group of groups) statuses.add(await publish({ body: `to ${group}`, group, deduplication: `d-${group}` }));
for (const names of [(name) => name.toLowerCase(), (name) => name.toUpperCase()])
  assert.equal(await publish({ body: 'case', group: `${names('Case')}`, deduplication: names('d'), names }), 200);
// local_cloud's HTTP library decodes escapes in headers, so this one can't be shown to its gateway.
assert.equal(await publish({ body: 'escape', group: '%26', deduplication: '%2B', ways: ['mapped'] }), 200);
assert.equal(await publish({ body: 'content', group: 'content' }), 200);  // Deduplicated by its content.
assert.equal(await publish({ body: 'no group' }), 400);
assert.equal(await publish({ body: 'empty group', group: '' }), 400);
assert.equal(await publish({ body: 'long group', group: 'g'.repeat(200) }), 400);
const query = { MessageGroupId: 'evil', MessageDeduplicationId: 'evil', MessageBody: 'evil', Action: 'DeleteQueue' };
assert.equal(await publish({ body: 'query', group: 'query', query }), 200);
assert.equal(await publish({ body: 'query', query }), 400);
assert.deepEqual(statuses, new Set([200, 400]));

const sorted = (list) => list.map(({ group, body }) => JSON.stringify([group, body])).sort();
const came = async () => (await received()).map((message) => {
  assert.equal(message.MessageAttributes, undefined);
  return { group: message.Attributes.MessageGroupId, body: message.Body };
});
assert.deepEqual(sorted(await came()), sorted(accepted));

// The batch route.
const entry = (body, more = {}) => ({ Id: 'a', MessageBody: body, MessageGroupId: 'g', ...more });
const batches = [
  ...bodies.map((body) => ({ Entries: [entry(body)] })),
  { Entries: [entry('1', { Id: '1' }), entry('2', { Id: '2', MessageGroupId: 'h' }), entry('\u0001', { Id: '3' })] },
  { Entries: [entry('with', { MessageAttributes: { a: { DataType: 'String', StringValue: '"&\n🎉' } } })] },
  { QueueUrl: 'http://127.0.0.1/evil', Entries: [entry('smuggled')], Action: 'DeleteQueue' },
  { Entries: [entry('a'), entry('b')] }, { Entries: [] }, {}, [],
  { Entries: [entry('x', { MessageGroupId: undefined })] },
  { Entries: Array.from({ length: 11 }, (_, i) => entry(`${i}`, { Id: `${i}` })) },
  { Entries: [entry('"}], "QueueUrl": "evil", "Entries": [{')] },
];

// One body by both ways, with groups of its own: a second time its messages would be duplicates.
async function batch(text, missing) {
  const ofWay = (way) => text.replace(/"MessageGroupId":"(\w)"/g, `"MessageGroupId":"$1-${cases}-${way}"`);
  async function mapped(body) {
    let request;
    try {
      request = render('BatchMethod', { body }, missing);
    } catch (error) {
      if (error instanceof NoJson) return { status: 400, body: '{"message":"Could not parse request body into json"}' };
      throw error;
    }
    const parsed = JSON.parse(request.body);
    assert.deepEqual(Object.keys(parsed), ['QueueUrl', 'Entries']);
    assert.equal(parsed.QueueUrl, SQS_QUEUE_URL);
    assert.deepEqual(parsed.Entries, JSON.parse(body || '{}').Entries ?? []);
    const response = await sqs(request.headers, request.body);
    return answer(response, statusOf('BatchMethod', response.status));
  }
  const arrivals = async () => (await received()).map((message) =>
    [message.Attributes.MessageGroupId[0], message.Body, message.MessageAttributes]);
  const first = await mapped(ofWay('mapped'));
  const arrived = await arrivals();
  const second = await answer(await gateway('/batch', {}, ofWay('model')));
  // What $input.json makes of no body at all is not documented; both refuse it.
  if (text === '') second.body = first.body;
  assert.deepEqual(first, second, text.slice(0, 200));
  assert.deepEqual(arrived, await arrivals(), text.slice(0, 200));
  ++cases;
  return { status: first.status, arrived };
}

for (const missing of ['', '""']) {
  for (const value of batches) {
    const { status, arrived } = await batch(JSON.stringify(value), missing);
    if (status === 200 && value.Entries.length === 1 && arrived.length === 1)
      assert.equal(arrived[0][1], value.Entries[0].MessageBody);
  }
  for (const text of ['', '{', 'Entries', '{"Entries": [}']) assert.equal((await batch(text, missing)).status, 400);
}
console.log(`${cases} cases by both ways, ${accepted.length} messages`);
