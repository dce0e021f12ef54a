// One contact change from ask to effect with Node.js, like client.py: client.js ADDRESS SERVICE
'use strict';
const assert = require('node:assert');
const {execFileSync} = require('node:child_process');
const {randomUUID} = require('node:crypto');
const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const ADMIN = 'ma100001-ovh';
const NEW_CONTACT = 'ai100003-ovh';
const MAILBOXES = {[ADMIN]: 'marie@example.com', [NEW_CONTACT]: 'aicha@example.com'};

const loaded = protoLoader.loadSync(
    ['contacts/v1/contact_service.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto'],
    {includeDirs: process.env.PROTO_PATH.split(':'), keepCase: true, longs: String, enums: String, defaults: true});
const {contacts} = grpc.loadPackageDefinition(loaded);

function acting(account) {
  const metadata = new grpc.Metadata();
  metadata.set('contacts-account', account);
  return metadata;
}

const inSeconds = (seconds) => ({deadline: Date.now() + seconds * 1000});

// Returns the details of an error by type, such as {ErrorInfo: ..., BadRequest: ...}.
function detailsOf(error) {
  const status = loaded['google.rpc.Status'].deserialize(error.metadata.get('grpc-status-details-bin')[0]);
  return Object.fromEntries(status.details.map(({type_url: url, value}) => {
    const name = url.slice(url.lastIndexOf('/') + 1);
    return [name.replace('google.rpc.', ''), loaded[name].deserialize(value)];
  }));
}

function tokenFor(account, changeId) {
  const [program, ...args] = process.env.READ_MAIL.split(' ');
  const link = execFileSync(program, [...args, MAILBOXES[account], changeId], {encoding: 'utf8'});
  return new URL(link).searchParams.get('token');
}

async function main(address, service) {
  const client = new contacts.v1.ContactService(address, grpc.credentials.createInsecure(),
      {'grpc.service_config': fs.readFileSync(process.env.SERVICE_CONFIG, 'utf8')});
  const call = (method, request, account) => new Promise((resolve, reject) => {
    client[method](request, acting(account), inSeconds(60),
        (error, response) => error ? reject(error) : resolve(response));
  });
  const failure = (promise) => promise.then(() => assert.fail('the call succeeded'), (error) => error);
  // Reads a stream until enough(response) is true, then cancels it: leaving the loop does not.
  const watch = async (token, seconds, enough) => {
    const stream = client.WatchContactChanges({service, resume_token: token}, acting(ADMIN), inSeconds(seconds));
    for await (const response of stream) {
      if (enough(response)) break;
    }
    stream.on('error', () => {});
    stream.cancel();
  };

  // The service config makes the call again until the database accepts writes.
  const assignment = {service, role: 'CONTACT_ROLE_TECH', new_contact: NEW_CONTACT};
  const ask = () => ({request_id: randomUUID(), assignments: [assignment]});
  let {contact_changes: [change]} = await call('ChangeContacts', ask(), ADMIN);

  // A stream is left after its first response, whose token resumes it below.
  let token;
  await watch('', 60, (response) => token = response.resume_token);

  // An error's reason and metadata, and the fields of another.
  let error = await failure(call('ChangeContacts', ask(), ADMIN));
  const {ErrorInfo: info} = detailsOf(error);
  assert.strictEqual(error.code, grpc.status.FAILED_PRECONDITION);
  assert.deepStrictEqual([info.domain, info.reason], ['contacts', 'CHANGE_ALREADY_PENDING']);
  assert.strictEqual(info.metadata.contact_change_id, change.id);
  delete assignment.role;
  error = await failure(call('ChangeContacts', ask(), ADMIN));
  const violations = detailsOf(error).BadRequest.field_violations;
  assert.deepStrictEqual(violations.map(({field}) => field), ['assignments[0].role']);

  // Both answers: the change takes effect.
  for (const account of [ADMIN, NEW_CONTACT]) {
    const accept = {contact_change_id: change.id, token: tokenFor(account, change.id), request_id: randomUUID()};
    ({contact_change: change} = await call('AcceptContactChange', accept, account));
  }
  assert.strictEqual(change.state, 'CONTACT_CHANGE_STATE_DONE');
  assert.strictEqual((await call('GetService', {service}, ADMIN)).service.tech, NEW_CONTACT);

  // The resumed stream has every event since its token.
  const accepted = new Set();
  await watch(token, 60, ({event}) => {
    if (event?.type === 'CONTACT_CHANGE_EVENT_TYPE_ACCEPTED') accepted.add(event.actor);
    return event?.type === 'CONTACT_CHANGE_EVENT_TYPE_DONE';
  });
  assert.deepStrictEqual(accepted, new Set([ADMIN, NEW_CONTACT]));

  // A deadline ends a stream that would go on.
  error = await failure(watch(token, 0.3, () => false));
  assert.strictEqual(error.code, grpc.status.DEADLINE_EXCEEDED);
  client.close();
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
