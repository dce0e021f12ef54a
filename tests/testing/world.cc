#include "tests/testing/world.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/names.h"

namespace contacts::testing {
namespace {

// Replies only have to be the same bytes for the same result.
std::string Encoded(const ContactChange& change) {
  std::string text = absl::StrCat(change.id.text(), " ", Name(change.state));
  for (const ChangeItem& item : change.items) {
    absl::StrAppend(&text, " ", item.service.text(), " ", Name(item.role), " ",
                    static_cast<int>(item.outcome));
  }
  for (const Validation& validation : change.validations) {
    absl::StrAppend(&text, " ", validation.account.text(), " ", static_cast<int>(validation.state),
                    " ", validation.generation);
  }
  return text;
}

}  // namespace

Assignment Move(const std::string& service, Role role, const std::string& new_contact) {
  return {ServiceId(service), role, AccountId(new_contact)};
}

std::vector<Uuid> IdsOfAllPages(
    int64_t page_size,
    const std::function<absl::StatusOr<Page<ContactChange>>(const PageRequest&)>& fetch) {
  constexpr int kMostPages = 1000;
  std::vector<Uuid> ids;
  PageRequest request{.size = page_size, .after = ""};
  for (int pages = 0; pages < kMostPages; ++pages) {
    const auto page = fetch(request);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    EXPECT_LE(static_cast<int64_t>(page->rows.size()), page_size);
    for (const ContactChange& change : page->rows) ids.push_back(change.id);
    if (page->next.empty()) return ids;
    request.after = page->next;
  }
  ADD_FAILURE() << "the list does not end";
  return ids;
}

World::World(Settings with, int services)
    : database(test_database.options()),
      keys(*TokenKeys::Parse(key_file)),
      settings(with),
      engine(&database, keys, settings, [this] { return clock.Now(); }),
      outbox(&database, keys, settings) {
  for (const char* id : {kMarie, kThomas, kBill, kDana, kEve}) {
    AddAccount(id, absl::StrCat(id, "@mail.example"));
  }
  for (int i = 0; i < services; ++i) AddService(absl::StrCat("s", i, ".example"));
}

World::Server::Server(const World& world)
    : database(world.test_database.options()),
      engine(&database, world.keys, world.settings, [&world] { return world.clock.Now(); }),
      outbox(&database, world.keys, world.settings) {}

void World::AddAccount(const std::string& id, const std::string& email) {
  Account account;
  account.id = AccountId(id);
  account.email = email;
  const absl::Status created =
      engine.directory
          .CreateAccount(AsOperator(), account, [](const Account& made) { return made.id.text(); })
          .status();
  EXPECT_TRUE(created.ok()) << created;
}

void World::AddService(const std::string& id, const std::string& admin, const std::string& tech,
                       const std::string& billing) {
  Service service;
  service.id = ServiceId(id);
  service.kind = "domain";
  service.admin = AccountId(admin);
  service.tech = AccountId(tech);
  service.billing = AccountId(billing);
  service.owner.emplace().name = "Marie Curie";
  const absl::Status created =
      engine.directory
          .CreateService(AsOperator(), service, [](const Service& made) { return made.id.text(); })
          .status();
  EXPECT_TRUE(created.ok()) << created;
}

Call World::As(const std::string& account, std::optional<Uuid> request_id) {
  Call call;
  call.account = AccountId(account);
  call.request_id = request_id;
  call.fingerprint = "test";
  call.limits.deadline = absl::Now() + absl::Seconds(60);
  return call;
}

Call World::AsOperator(std::optional<Uuid> request_id) {
  Call call = As("", request_id);
  call.operator_name = "operator";
  return call;
}

World::Asked World::Ask(const std::string& account, const std::vector<Assignment>& assignments,
                        std::optional<Uuid> request_id, bool validate_only, Engine* through) {
  Asked asked;
  Call call = As(account, request_id);
  for (const Assignment& assignment : assignments) {
    absl::StrAppend(&call.fingerprint, assignment.service.text(), Name(assignment.role),
                    assignment.new_contact.text());
  }
  const absl::StatusOr<std::string> reply =
      (through ? *through : engine)
          .asking.ChangeContacts(call, {assignments, validate_only},
                                 [&](const std::vector<ContactChange>& changes) {
                                   asked.changes = changes;
                                   std::string bytes;
                                   for (const ContactChange& change : changes)
                                     absl::StrAppend(&bytes, Encoded(change), "\n");
                                   return bytes;
                                 });
  asked.status = reply.status();
  if (reply.ok()) asked.reply = *reply;
  return asked;
}

ContactChange World::AskLater(const std::string& account, const Assignment& assignment) {
  clock.Advance(absl::Seconds(1));
  const Asked asked = Ask(account, {assignment});
  EXPECT_TRUE(asked.status.ok()) << asked.status;
  return asked.changes.at(0);
}

namespace {

template <typename F>
World::Answered Answer(F call) {
  World::Answered answered;
  const absl::StatusOr<std::string> reply = call([&](const ContactChange& change) {
    answered.change = change;
    return Encoded(change);
  });
  answered.status = reply.status();
  if (reply.ok()) answered.reply = *reply;
  return answered;
}

}  // namespace

World::Answered World::Accept(const std::string& account, const Uuid& id, const std::string& token,
                              std::optional<Uuid> request_id, Engine* through) {
  Call call = As(account, request_id);
  absl::StrAppend(&call.fingerprint, id.text(), token);
  return Answer([&](const Encode<ContactChange>& encode) {
    return (through ? *through : engine).answering.AcceptContactChange(call, id, token, encode);
  });
}

World::Answered World::AskAndAccept(const std::string& account,
                                    const std::vector<Assignment>& assignments) {
  const Asked asked = Ask(account, assignments);
  EXPECT_TRUE(asked.status.ok()) << asked.status;
  EXPECT_EQ(asked.changes.size(), 1U);
  Answered last;
  for (const Validation& validation : asked.changes.at(0).validations) {
    last = Accept(validation.account.text(), asked.changes[0]);
    EXPECT_TRUE(last.status.ok()) << last.status;
  }
  return last;
}

World::Answered World::Refuse(const std::string& account, const Uuid& id, const std::string& token,
                              const std::string& reason) {
  return Answer([&](const Encode<ContactChange>& encode) {
    return engine.answering.RefuseContactChange(As(account), id, token, reason, encode);
  });
}

World::Answered World::Resend(const std::string& account, const Uuid& id, const std::string& to,
                              std::optional<Uuid> request_id, Engine* through) {
  return Answer([&](const Encode<ContactChange>& encode) {
    return (through ? *through : engine)
        .answering.ResendValidation(As(account, request_id), id, AccountId(to), encode);
  });
}

World::Answered World::Cancel(const std::string& account, const Uuid& id, Engine* through) {
  return Answer([&](const Encode<ContactChange>& encode) {
    return (through ? *through : engine).answering.CancelContactChange(As(account), id, encode);
  });
}

absl::Status World::Override(const std::vector<Assignment>& assignments,
                             const std::string& reason) {
  return engine.directory
      .OverrideContacts(AsOperator(), {assignments, reason},
                        [](const std::vector<Service>&) { return std::string("done"); })
      .status();
}

absl::Status World::DeleteService(const std::string& id) {
  // A service that is registered again has another time of registration.
  clock.Advance(absl::Microseconds(1));
  return engine.directory
      .DeleteService(AsOperator(), ServiceId(id), [](const Service&) { return std::string(); })
      .status();
}

absl::Status World::SetStanding(const std::string& account, BillingStanding standing) {
  return engine.profiles
      .UpdateAccount(AsOperator(), {.id = AccountId(account), .standing = standing},
                     [](const Account&) { return std::string(); })
      .status();
}

absl::StatusOr<ContactChange> World::Get(const std::string& account, const Uuid& id) {
  return engine.reading.GetContactChange(As(account), id);
}

std::string World::Holder(const std::string& service, Role role) {
  const absl::StatusOr<Service> found =
      engine.directory.LookupService(AsOperator(), ServiceId(service));
  return found.ok() ? found->holder(role).text() : "";
}

std::vector<EventType> World::History(const Uuid& id) {
  std::vector<EventType> types;
  for (const std::string& type : test_database.Query(
           absl::StrCat("SELECT type FROM contact_change_event WHERE change_id = x'",
                        absl::BytesToHexString(id.bytes()), "' ORDER BY ordinal"))) {
    types.push_back(static_cast<EventType>(std::stoi(type)));
  }
  return types;
}

std::string World::Token(const Uuid& id, const std::string& account) {
  const std::string row =
      absl::StrCat(" FROM contact_change WHERE id = x'", absl::BytesToHexString(id.bytes()), "'");
  const bool is_requester = test_database.Query("SELECT requester" + row).at(0) == account;
  const std::string who = is_requester ? "requester" : "new_contact";
  const int64_t generation = test_database.Count("SELECT " + who + "_generation" + row);
  return keys
      .Derive(test_database.Query("SELECT " + who + "_token_key_id" + row).at(0),
              {.change = id,
               .account = AccountId(account),
               .generation = generation,
               .address = AddressDigest(AccountId(account), EmailOf(account))})
      .value();
}

std::string World::EmailOf(const std::string& account) {
  return test_database.Query("SELECT email FROM account WHERE id = '" + account + "'").at(0);
}

absl::Status World::SetEmail(const std::string& account, const std::string& email,
                             Engine* through) {
  return (through ? *through : engine)
      .profiles
      .UpdateAccount(AsOperator(), {.id = AccountId(account), .email = email},
                     [](const Account&) { return std::string(); })
      .status();
}

std::vector<std::string> World::TakeMails() {
  std::vector<std::pair<MailKind, std::string>> found;
  for (;;) {
    const absl::StatusOr<std::vector<MailFacts>> claimed =
        outbox.Claim(100, absl::Minutes(1), clock.Now());
    EXPECT_TRUE(claimed.ok()) << claimed.status();
    if (!claimed.ok() || claimed->empty()) break;
    for (const MailFacts& facts : *claimed) {
      found.emplace_back(facts.mail.kind, facts.mail.recipient.text());
    }
    const absl::Status sent = outbox.Sent(*claimed, Clock());
    EXPECT_TRUE(sent.ok()) << sent;
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (const auto& [kind, recipient] : found) {
    names.push_back(absl::StrCat(MailName(kind), " ", recipient));
  }
  return names;
}

int64_t RowsRead(Session& session) {
  Rows rows = session.Query("SHOW SESSION STATUS LIKE 'Handler_read%'", {});
  int64_t sum = 0;
  while (rows.Next()) {
    rows.Skip();
    sum += std::stoll(rows.String());
  }
  return sum;
}

}  // namespace contacts::testing
