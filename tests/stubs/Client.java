import com.google.gson.Gson;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import contacts.v1.AcceptContactChangeRequest;
import contacts.v1.ChangeContactsRequest;
import contacts.v1.ContactAssignment;
import contacts.v1.ContactChange;
import contacts.v1.ContactChangeEventType;
import contacts.v1.ContactChangeState;
import contacts.v1.ContactRole;
import contacts.v1.ContactServiceGrpc;
import contacts.v1.ContactServiceGrpc.ContactServiceBlockingStub;
import contacts.v1.GetServiceRequest;
import contacts.v1.WatchContactChangesRequest;
import contacts.v1.WatchContactChangesResponse;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** One contact change from ask to effect in Java, like client.py: Client ADDRESS SERVICE. */
public final class Client {
  private static final String ADMIN = "ma100001-ovh";
  private static final String NEW_CONTACT = "ai100003-ovh";
  private static final Map<String, String> MAILBOXES =
      Map.of(ADMIN, "marie@example.com", NEW_CONTACT, "aicha@example.com");

  private static void check(boolean ok, Object what) {
    if (!ok) throw new AssertionError(what);
  }

  private static ContactServiceBlockingStub acting(ManagedChannel channel, String account) {
    Metadata metadata = new Metadata();
    metadata.put(Metadata.Key.of("contacts-account", Metadata.ASCII_STRING_MARSHALLER), account);
    return ContactServiceGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
  }

  private static ContactServiceBlockingStub inAMinute(ManagedChannel channel, String account) {
    return acting(channel, account).withDeadlineAfter(1, TimeUnit.MINUTES);
  }

  private static StatusRuntimeException failure(Runnable call) {
    try {
      call.run();
    } catch (StatusRuntimeException error) {
      return error;
    }
    throw new AssertionError("the call succeeded");
  }

  /** Returns the error's detail of one type. */
  private static <T extends com.google.protobuf.Message> T detail(StatusRuntimeException error, Class<T> type)
      throws Exception {
    for (com.google.protobuf.Any packed : StatusProto.fromThrowable(error).getDetailsList()) {
      if (packed.is(type)) return packed.unpack(type);
    }
    throw new AssertionError(error);
  }

  private static String tokenFor(String account, String changeId) throws Exception {
    List<String> command = new ArrayList<>(Arrays.asList(System.getenv("READ_MAIL").split(" ")));
    Collections.addAll(command, MAILBOXES.get(account), changeId);
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String link = new String(process.getInputStream().readAllBytes()).trim();
    return link.replaceFirst(".*[?&]token=([^&]*).*", "$1");
  }

  /** Reads a stream up to a response with the event, or to its first response if that is null. */
  private static List<WatchContactChangesResponse> watchUntil(
      ManagedChannel channel, WatchContactChangesRequest request, ContactChangeEventType last) throws Exception {
    Context.CancellableContext context = Context.current().withCancellation();
    try {
      return context.call(() -> {
        List<WatchContactChangesResponse> seen = new ArrayList<>();
        Iterator<WatchContactChangesResponse> stream = inAMinute(channel, ADMIN).watchContactChanges(request);
        do {
          seen.add(stream.next());
        } while (last != null && seen.get(seen.size() - 1).getEvent().getType() != last);
        return seen;
      });
    } finally {
      context.cancel(null);
    }
  }

  @SuppressWarnings("unchecked")
  public static void main(String[] args) throws Exception {
    String service = args[1];
    String config = Files.readString(Path.of(System.getenv("SERVICE_CONFIG")));
    ManagedChannel channel = ManagedChannelBuilder.forTarget(args[0]).usePlaintext()
        .defaultServiceConfig(new Gson().fromJson(config, Map.class)).enableRetry().build();

    // The service config makes the call again until the database accepts writes.
    ContactAssignment assignment = ContactAssignment.newBuilder().setService(service)
        .setRole(ContactRole.CONTACT_ROLE_TECH).setNewContact(NEW_CONTACT).build();
    ChangeContactsRequest ask = ChangeContactsRequest.newBuilder()
        .setRequestId(UUID.randomUUID().toString()).addAssignments(assignment).build();
    ContactChange change = inAMinute(channel, ADMIN).changeContacts(ask).getContactChanges(0);

    // A stream is left after its first response, whose token resumes it below.
    WatchContactChangesRequest watch = WatchContactChangesRequest.newBuilder().setService(service).build();
    String token = watchUntil(channel, watch, null).get(0).getResumeToken();
    WatchContactChangesRequest resumed = watch.toBuilder().setResumeToken(token).build();

    // An error's reason and metadata, and the fields of another.
    ChangeContactsRequest again = ask.toBuilder().setRequestId(UUID.randomUUID().toString()).build();
    StatusRuntimeException pending = failure(() -> inAMinute(channel, ADMIN).changeContacts(again));
    ErrorInfo info = detail(pending, ErrorInfo.class);
    check(pending.getStatus().getCode() == Status.Code.FAILED_PRECONDITION, pending);
    check(info.getDomain().equals("contacts") && info.getReason().equals("CHANGE_ALREADY_PENDING"), info);
    check(change.getId().equals(info.getMetadataMap().get("contact_change_id")), info);
    ChangeContactsRequest wrong =
        again.toBuilder().setAssignments(0, assignment.toBuilder().clearRole()).build();
    StatusRuntimeException invalid = failure(() -> inAMinute(channel, ADMIN).changeContacts(wrong));
    BadRequest violations = detail(invalid, BadRequest.class);
    check(violations.getFieldViolationsCount() == 1, violations);
    check(violations.getFieldViolations(0).getField().equals("assignments[0].role"), violations);

    // Both answers: the change takes effect.
    for (String account : List.of(ADMIN, NEW_CONTACT)) {
      change = inAMinute(channel, account).acceptContactChange(AcceptContactChangeRequest.newBuilder()
          .setContactChangeId(change.getId()).setToken(tokenFor(account, change.getId()))
          .setRequestId(UUID.randomUUID().toString()).build()).getContactChange();
    }
    check(change.getState() == ContactChangeState.CONTACT_CHANGE_STATE_DONE, change);
    GetServiceRequest get = GetServiceRequest.newBuilder().setService(service).build();
    check(inAMinute(channel, ADMIN).getService(get).getService().getTech().equals(NEW_CONTACT), service);

    // The resumed stream has every event since its token.
    Set<String> accepted = new HashSet<>();
    for (WatchContactChangesResponse response :
        watchUntil(channel, resumed, ContactChangeEventType.CONTACT_CHANGE_EVENT_TYPE_DONE)) {
      if (response.getEvent().getType() == ContactChangeEventType.CONTACT_CHANGE_EVENT_TYPE_ACCEPTED) {
        accepted.add(response.getEvent().getActor());
      }
    }
    check(accepted.equals(Set.of(ADMIN, NEW_CONTACT)), accepted);

    // A deadline ends a stream that would go on.
    StatusRuntimeException late = failure(() -> acting(channel, ADMIN)
        .withDeadlineAfter(300, TimeUnit.MILLISECONDS).watchContactChanges(resumed).forEachRemaining(r -> {}));
    check(late.getStatus().getCode() == Status.Code.DEADLINE_EXCEEDED, late);
    channel.shutdownNow();
  }
}
