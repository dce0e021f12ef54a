// One contact change from ask to effect in Go, like client.py: client ADDRESS SERVICE
package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	contactsv1 "contacts/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	admin      = "ma100001-ovh"
	newContact = "ai100003-ovh"
)

var mailboxes = map[string]string{admin: "marie@example.com", newContact: "aicha@example.com"}

func must(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func check(ok bool, what ...interface{}) {
	if !ok {
		log.Panic(what...)
	}
}

func acting(account string) context.Context {
	return metadata.AppendToOutgoingContext(context.Background(), "contacts-account", account)
}

// call returns a context for one call, which ends by itself.
func call(account string) context.Context {
	ctx, cancel := context.WithTimeout(acting(account), time.Minute)
	time.AfterFunc(time.Minute, cancel)
	return ctx
}

// newID returns a random UUID of version 4.
func newID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/uuid")
	must(err)
	return strings.TrimSpace(string(id))
}

func tokenFor(account, changeID string) string {
	words := append(strings.Fields(os.Getenv("READ_MAIL")), mailboxes[account], changeID)
	output, err := exec.Command(words[0], words[1:]...).Output()
	must(err)
	link, err := url.Parse(strings.TrimSpace(string(output)))
	must(err)
	return link.Query().Get("token")
}

func main() {
	address, service := os.Args[1], os.Args[2]
	config, err := os.ReadFile(os.Getenv("SERVICE_CONFIG"))
	must(err)
	connection, err := grpc.Dial(address, grpc.WithInsecure(), grpc.WithDefaultServiceConfig(string(config)))
	must(err)
	client := contactsv1.NewContactServiceClient(connection)

	// The service config makes the call again until the database accepts writes.
	assignment := &contactsv1.ContactAssignment{
		Service: service, Role: contactsv1.ContactRole_CONTACT_ROLE_TECH, NewContact: newContact}
	ask := func() (*contactsv1.ChangeContactsResponse, error) {
		return client.ChangeContacts(call(admin), &contactsv1.ChangeContactsRequest{
			RequestId: newID(), Assignments: []*contactsv1.ContactAssignment{assignment}})
	}
	asked, err := ask()
	must(err)
	change := asked.ContactChanges[0]

	// A stream is left after its first response, whose token resumes it below.
	ctx, cancel := context.WithTimeout(acting(admin), time.Minute)
	stream, err := client.WatchContactChanges(ctx, &contactsv1.WatchContactChangesRequest{Service: service})
	must(err)
	first, err := stream.Recv()
	must(err)
	cancel()
	resumed := &contactsv1.WatchContactChangesRequest{Service: service, ResumeToken: first.ResumeToken}

	// An error's reason and metadata, and the fields of another.
	_, err = ask()
	check(status.Code(err) == codes.FailedPrecondition, err)
	info := &errdetails.ErrorInfo{}
	for _, detail := range status.Convert(err).Details() {
		if found, ok := detail.(*errdetails.ErrorInfo); ok {
			info = found
		}
	}
	check(info.Domain == "contacts" && info.Reason == "CHANGE_ALREADY_PENDING", err, info)
	check(info.Metadata["contact_change_id"] == change.Id, info)
	assignment.Role = contactsv1.ContactRole_CONTACT_ROLE_UNSPECIFIED
	_, err = ask()
	fields := []string{}
	for _, detail := range status.Convert(err).Details() {
		if found, ok := detail.(*errdetails.BadRequest); ok {
			for _, violation := range found.FieldViolations {
				fields = append(fields, violation.Field)
			}
		}
	}
	check(fmt.Sprint(fields) == "[assignments[0].role]", err, fields)

	// Both answers: the change takes effect.
	for _, account := range []string{admin, newContact} {
		accepted, err := client.AcceptContactChange(call(account), &contactsv1.AcceptContactChangeRequest{
			ContactChangeId: change.Id, Token: tokenFor(account, change.Id), RequestId: newID()})
		must(err)
		change = accepted.ContactChange
	}
	check(change.State == contactsv1.ContactChangeState_CONTACT_CHANGE_STATE_DONE, change)
	got, err := client.GetService(call(admin), &contactsv1.GetServiceRequest{Service: service})
	must(err)
	check(got.Service.Tech == newContact, got)

	// The resumed stream has every event since its token.
	ctx, cancel = context.WithTimeout(acting(admin), time.Minute)
	stream, err = client.WatchContactChanges(ctx, resumed)
	must(err)
	accepted := map[string]bool{}
	for done := false; !done; {
		response, err := stream.Recv()
		must(err)
		switch response.GetEvent().GetType() {
		case contactsv1.ContactChangeEventType_CONTACT_CHANGE_EVENT_TYPE_ACCEPTED:
			accepted[response.Event.Actor] = true
		case contactsv1.ContactChangeEventType_CONTACT_CHANGE_EVENT_TYPE_DONE:
			done = true
		}
	}
	cancel()
	check(len(accepted) == 2 && accepted[admin] && accepted[newContact], accepted)

	// A deadline ends a stream that would go on.
	ctx, cancel = context.WithTimeout(acting(admin), 300*time.Millisecond)
	defer cancel()
	stream, err = client.WatchContactChanges(ctx, resumed)
	for err == nil {
		_, err = stream.Recv()
	}
	check(status.Code(err) == codes.DeadlineExceeded, err)
}
