"""One contact change from ask to effect over generated Python stubs: client.py ADDRESS SERVICE

When this starts, the database refuses writes. run.sh allows them once the server has answered
UNAVAILABLE. Variables: SERVICE_CONFIG is the file of the service config, READ_MAIL the command that
prints the link of the newest e-mail to an address about a change.
"""
import os
import pathlib
import shlex
import subprocess
import sys
import urllib.parse
import uuid

import grpc
from contacts.v1 import contact_service_pb2, contact_service_pb2_grpc, contacts_pb2
from google.rpc import error_details_pb2, status_pb2

ADMIN, NEW_CONTACT = "ma100001-ovh", "ai100003-ovh"
MAILBOXES = {ADMIN: "marie@example.com", NEW_CONTACT: "aicha@example.com"}


def acting(account):
    return (("contacts-account", account),)


def details_of(error):
    """Returns the details of an error by type, such as {"ErrorInfo": ..., "BadRequest": ...}."""
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    details = {}
    for packed in status.details:
        name = packed.TypeName().removeprefix("google.rpc.")
        details[name] = getattr(error_details_pb2, name).FromString(packed.value)
    return details


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call succeeded")


def token_for(account, change_id):
    command = [*shlex.split(os.environ["READ_MAIL"]), MAILBOXES[account], change_id]
    link = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    return urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]


def main(address, service):
    config = pathlib.Path(os.environ["SERVICE_CONFIG"]).read_text(encoding="utf-8")
    channel = grpc.insecure_channel(address, options=[("grpc.service_config", config)])
    stub = contact_service_pb2_grpc.ContactServiceStub(channel)

    # The service config makes the call again until the database accepts writes.
    ask = contact_service_pb2.ChangeContactsRequest(request_id=str(uuid.uuid4()))
    ask.assignments.add(service=service, role=contacts_pb2.CONTACT_ROLE_TECH, new_contact=NEW_CONTACT)
    change = stub.ChangeContacts(ask, metadata=acting(ADMIN), timeout=60).contact_changes[0]

    # A stream is left after its first response, whose token resumes it below.
    watch_request = contact_service_pb2.WatchContactChangesRequest(service=service)
    stream = stub.WatchContactChanges(watch_request, metadata=acting(ADMIN), timeout=60)
    watch_request.resume_token = next(stream).resume_token
    stream.cancel()

    # An error's reason and metadata, and the fields of another.
    ask.request_id = str(uuid.uuid4())
    error = failure(lambda: stub.ChangeContacts(ask, metadata=acting(ADMIN), timeout=60))
    info = details_of(error)["ErrorInfo"]
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION, error
    assert (info.domain, info.reason) == ("contacts", "CHANGE_ALREADY_PENDING"), info
    assert info.metadata["contact_change_id"] == change.id, info
    ask.assignments[0].ClearField("role")
    error = failure(lambda: stub.ChangeContacts(ask, metadata=acting(ADMIN), timeout=60))
    violations = details_of(error)["BadRequest"].field_violations
    assert [violation.field for violation in violations] == ["assignments[0].role"], violations

    # Both answers: the change takes effect.
    for account in (ADMIN, NEW_CONTACT):
        accept = contact_service_pb2.AcceptContactChangeRequest(
            contact_change_id=change.id, token=token_for(account, change.id), request_id=str(uuid.uuid4()))
        change = stub.AcceptContactChange(accept, metadata=acting(account), timeout=60).contact_change
    assert change.state == contacts_pb2.CONTACT_CHANGE_STATE_DONE, change
    get = contact_service_pb2.GetServiceRequest(service=service)
    assert stub.GetService(get, metadata=acting(ADMIN), timeout=60).service.tech == NEW_CONTACT

    # The resumed stream has every event since its token.
    seen = []
    stream = stub.WatchContactChanges(watch_request, metadata=acting(ADMIN), timeout=60)
    while not seen or seen[-1].type != contact_service_pb2.CONTACT_CHANGE_EVENT_TYPE_DONE:
        response = next(stream)
        if response.HasField("event"):
            seen.append(response.event)
    stream.cancel()
    accepted = contact_service_pb2.CONTACT_CHANGE_EVENT_TYPE_ACCEPTED
    assert {event.actor for event in seen if event.type == accepted} == {ADMIN, NEW_CONTACT}, seen

    # A deadline ends a stream that would go on.
    error = failure(lambda: list(stub.WatchContactChanges(watch_request, metadata=acting(ADMIN), timeout=0.3)))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error


if __name__ == "__main__":
    main(*sys.argv[1:])
