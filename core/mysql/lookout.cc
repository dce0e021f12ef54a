#include "core/mysql/lookout.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "core/mysql/failure.h"

namespace contacts {
namespace {

using Endpoint = DatabaseOptions::Endpoint;

constexpr absl::Duration kInterval = absl::Seconds(1);
constexpr absl::Duration kHurriedInterval = absl::Milliseconds(100);
// How long a member's answer is relied on.
constexpr absl::Duration kBelieved = absl::Seconds(3);
// Looks in a row that a member did not answer, after which its connections are ended.
constexpr int kSilentLooks = 2;
// How long a node of Galera must have been ready before the servers come back to it.
constexpr absl::Duration kReadyFor = absl::Seconds(3);
constexpr absl::Duration kResolveInterval = absl::Seconds(30);

bool IsNumeric(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// Whether the host is a name to be looked up.
bool IsName(const std::string& host) { return !IsNumeric(host) && host != "localhost"; }

// The addresses of a name, in the same order on all servers. The name itself if it has one address
// or none.
std::vector<Endpoint> Resolved(const Endpoint& endpoint) {
  if (!IsName(endpoint.host)) return {endpoint};
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(endpoint.host.c_str(), nullptr, &hints, &found) != 0) return {endpoint};
  std::set<std::string> hosts;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) ==
        0) {
      hosts.insert(text);
    }
  }
  freeaddrinfo(found);
  if (hosts.size() < 2) return {endpoint};
  std::vector<Endpoint> endpoints;
  for (const std::string& host : hosts) endpoints.push_back({host, endpoint.port});
  return endpoints;
}

}  // namespace

// One member and the thread that asks it. The lookout's lock guards its public variables.
class Lookout::Member {
 public:
  Member(Lookout* lookout, Endpoint address)
      : endpoint(std::move(address)),
        lookout_(lookout),
        probe_(&lookout->options_, lookout->sockets_, endpoint) {}

  void Start() {
    thread = std::thread([this] { Loop(); });
  }

  bool Usable() const {
    return view && view->usable && !(lookout_->group_seen_ && view->kind == MemberKind::kAlone) &&
           !rival;
  }

  const Endpoint endpoint;
  std::optional<MemberView> view;  // Empty before the first answer.
  Steady confirmed;                // When it was last asked and said that it is usable.
  Steady usable_since;
  int silent_looks = 0;  // In a row.
  // Whether it said that it takes writes while another member was in use, for longer than an
  // answer is relied on. It is not chosen when that one falls silent: a server cannot tell which
  // of the two is right.
  bool rival = false;
  bool hurry = false;
  bool stopping = false;
  std::condition_variable wake;
  std::thread thread;

 private:
  void Loop() {
    std::unique_lock lock(lookout_->mutex_);
    while (!stopping) {
      hurry = false;
      lock.unlock();
      MemberView found = probe_.Look();
      lock.lock();
      if (stopping) break;
      lookout_->Report(*this, std::move(found));
      wake.wait_for(lock,
                    absl::ToChronoMilliseconds(lookout_->usable_ ? kInterval : kHurriedInterval),
                    [this] { return hurry || stopping; });
    }
    lock.unlock();
    probe_.HangUp();
  }

  Lookout* const lookout_;
  Probe probe_;  // Used only by the member's thread.
};

Lookout::Lookout(const DatabaseOptions* options, DatabaseClock* clock, Sockets* sockets)
    : options_(*options), clock_(clock), sockets_(sockets) {}

Lookout::~Lookout() {
  std::vector<std::shared_ptr<Member>> all;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    all = members_;
    all.insert(all.end(), gone_.begin(), gone_.end());
    for (const auto& member : all) {
      member->stopping = true;
      member->wake.notify_all();
    }
  }
  changed_.notify_all();
  if (resolver_.joinable()) resolver_.join();
  for (const auto& member : all) {
    sockets_->ShutAll(MemberName(member->endpoint));
    member->thread.join();
  }
}

void Lookout::Start() {
  if (started_) return;
  started_ = true;
  for (const Endpoint& endpoint : options_.endpoints) {
    has_names_ = has_names_ || (options_.socket.empty() && IsName(endpoint.host));
  }
  if (has_names_) {
    resolver_ = std::thread([this] { ResolveLoop(); });
    return;
  }
  for (const Endpoint& endpoint :
       options_.socket.empty() ? options_.endpoints : std::vector<Endpoint>{{"localhost", 0}}) {
    members_.push_back(std::make_shared<Member>(this, endpoint));
    members_.back()->Start();
  }
}

void Lookout::ResolveLoop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    std::vector<Endpoint> resolved;
    for (const Endpoint& endpoint : options_.endpoints) {
      for (Endpoint& address : Resolved(endpoint)) resolved.push_back(std::move(address));
    }
    lock.lock();
    if (stopping_) return;
    Adopt(resolved);
    const auto until = std::chrono::steady_clock::now() + absl::ToChronoSeconds(kResolveInterval);
    // Each second while no member is usable.
    do {
      changed_.wait_for(lock, absl::ToChronoMilliseconds(kInterval), [this] { return stopping_; });
    } while (!stopping_ && usable_ && std::chrono::steady_clock::now() < until);
  }
}

void Lookout::Adopt(const std::vector<Endpoint>& endpoints) {
  std::vector<std::shared_ptr<Member>> members;
  for (const Endpoint& endpoint : endpoints) {
    const auto known = std::find_if(members_.begin(), members_.end(), [&](const auto& member) {
      return MemberName(member->endpoint) == MemberName(endpoint);
    });
    auto member = known != members_.end() ? *known : std::make_shared<Member>(this, endpoint);
    // A host may be listed twice, by two names or by its name and its address.
    if (std::find(members.begin(), members.end(), member) != members.end()) continue;
    if (known == members_.end()) {
      members_.push_back(member);
      member->Start();
    }
    members.push_back(std::move(member));
  }
  for (const auto& member : members_) {
    if (std::find(members.begin(), members.end(), member) != members.end()) continue;
    // A name server may tell only some of the addresses. A member that answers is kept.
    if (member->view && member->view->answered) {
      members.push_back(member);
      continue;
    }
    member->stopping = true;
    member->wake.notify_all();
    gone_.push_back(member);
  }
  members_ = std::move(members);
  Choose();
}

std::optional<Lookout::Choice> Lookout::Await(absl::Time until) {
  std::unique_lock lock(mutex_);
  Start();
  while (!stopping_) {
    if (usable_) {
      if (std::chrono::steady_clock::now() - used_->confirmed <=
          absl::ToChronoMilliseconds(kBelieved)) {
        return Choice{.member = used_->endpoint, .kind = used_->view->kind, .epoch = epoch_};
      }
      used_->hurry = true;
      used_->wake.notify_all();
    }
    if (CannotHelp() || absl::Now() >= until) return std::nullopt;
    changed_.wait_until(lock, absl::ToChronoTime(until));
  }
  return std::nullopt;
}

void Lookout::Suspect(const Endpoint& endpoint) {
  const std::lock_guard lock(mutex_);
  for (const auto& member : members_) {
    if (MemberName(member->endpoint) != MemberName(endpoint)) continue;
    member->hurry = true;
    member->wake.notify_all();
  }
}

void Lookout::Report(Member& member, MemberView view) {
  const Steady now = std::chrono::steady_clock::now();
  const bool was_usable = member.view && member.view->usable;
  // The member is there, and keeps the connections that are open.
  if (IsFull(view.code) && was_usable) {
    member.confirmed = now;
    changed_.notify_all();
    return;
  }
  if (view.usable) {
    member.confirmed = view.time.before;
    if (!was_usable) member.usable_since = now;
  }
  if (view.answered && view.kind == MemberKind::kGroup) group_seen_ = true;
  member.silent_looks = view.answered ? 0 : member.silent_looks + 1;
  const bool left_behind = view.left_behind && was_usable;
  member.view = std::move(view);
  MarkRivals(member);
  const std::shared_ptr<Member> before = used_;
  Choose();
  if (used_.get() == &member && usable_) clock_->Add(member.view->time);
  // After Choose(), so that work that is started over finds the new member. One look that takes
  // too long ends nothing yet: a member under load answers the next one.
  if (left_behind || member.silent_looks == kSilentLooks) {
    sockets_->ShutAll(MemberName(member.endpoint));
  }
  if (before && before != used_ && !before->view->answered) {
    sockets_->ShutAll(MemberName(before->endpoint));
  }
  changed_.notify_all();
}

void Lookout::MarkRivals(Member& reported) {
  const MemberView& view = *reported.view;
  if (view.answered && !view.usable) {
    reported.rival = false;
    // The member in use was made read only: the others are right.
    if (&reported == used_.get()) {
      for (const auto& member : members_) member->rival = false;
    }
  }
  if (!usable_ || &reported == used_.get() || !view.usable || view.kind != MemberKind::kAlone ||
      !used_->view->usable || used_->view->identity == view.identity) {
    return;
  }
  reported.rival = reported.rival ||
                   used_->confirmed - reported.usable_since > absl::ToChronoMilliseconds(kBelieved);
}

Lookout::Member* Lookout::Pick() {
  std::vector<Member*> usable;
  Steady newest;  // Time when the last of them became usable.
  for (const auto& member : members_) {
    if (!member->Usable()) continue;
    usable.push_back(member.get());
    newest = std::max(newest, member->usable_since);
  }
  // Members that both say that they are the one that accepts writes: a move, if the old one was not
  // asked since the new one became usable; else trouble. A primary that was cut off from its group
  // goes on saying so for some seconds after it sees the others again.
  std::set<std::string> single, asked_since;
  for (Member* member : usable) {
    if (member->view->kind == MemberKind::kGalera) continue;
    single.insert(member->view->identity);
    if (member->usable_since == newest || member->confirmed >= newest) {
      asked_since.insert(member->view->identity);
    }
  }
  const auto several = static_cast<int64_t>(asked_since.size());
  if (several > 1 && writable_ <= 1) {
    spdlog::warn(
        "database: {} members say that they take writes; at most one of them is right: make the"
        " others read only",
        several);
  }
  writable_ = usable.empty() ? 0 : std::max<int64_t>(1, several);
  if (usable.empty()) return nullptr;
  Member* const first = usable.front();
  if (used_ && used_->Usable()) {
    // Every node of Galera accepts writes. All servers come back to the first that is ready.
    const bool come_back = first != used_.get() && first->view->kind == MemberKind::kGalera &&
                           std::chrono::steady_clock::now() - first->usable_since >
                               absl::ToChronoMilliseconds(kReadyFor);
    return come_back ? first : used_.get();
  }
  // A server cannot tell which of several is right.
  if (single.size() > 1) return nullptr;
  const bool all_looked_at = std::all_of(members_.begin(), members_.end(),
                                         [](const auto& member) { return member->view; });
  return all_looked_at ? first : nullptr;
}

void Lookout::Choose() {
  Member* const picked = Pick();
  if (picked == nullptr) {
    const std::string why = Why();
    if (usable_ || (why != last_trouble_ && CannotHelp())) {
      spdlog::warn("database: no member to use: {}", why);
      last_trouble_ = why;
    }
    if (!usable_) return;
    usable_ = false;
    ++epoch_;
    for (const auto& member : members_) {
      member->hurry = true;
      member->wake.notify_all();
    }
    return;
  }
  if (usable_ && picked == used_.get()) return;
  if (used_.get() != picked) {
    if (used_) {
      ++failovers_;
      spdlog::warn("database: uses {} in place of {}", MemberName(picked->endpoint),
                   MemberName(used_->endpoint));
    }
    used_ = *std::find_if(members_.begin(), members_.end(),
                          [&](const auto& member) { return member.get() == picked; });
  } else {
    spdlog::warn("database: uses {} again", MemberName(picked->endpoint));
  }
  usable_ = true;
  last_trouble_.clear();
  ++epoch_;
}

bool Lookout::CannotHelp() const {
  return !members_.empty() && std::all_of(members_.begin(), members_.end(), [](const auto& member) {
    return member->view && IsDenied(member->view->code);
  });
}

std::string Lookout::Why() const {
  std::map<std::string, std::vector<std::string>> members;  // By their trouble.
  std::size_t writable = 0;
  for (const auto& member : members_) {
    std::string trouble = "was not asked yet";
    if (member->view) trouble = member->view->trouble;
    if (member->Usable()) {
      trouble = "says that it takes writes";
      ++writable;
    } else if (member->rival) {
      trouble =
          "took writes beside the member in use: make it read only, then writable again, if "
          "it is the right one";
    } else if (member->view && member->view->usable) {
      trouble = "is in no group, and others are";
    }
    members[trouble].push_back(MemberName(member->endpoint));
  }
  std::vector<std::string> sentences;
  for (const auto& [trouble, names] : members) {
    sentences.push_back(absl::StrCat(absl::StrJoin(names, ", "), " ", trouble));
  }
  return absl::StrCat(absl::StrJoin(sentences, "; "),
                      writable > 1 ? "; make all but one read only" : "");
}

bool Lookout::HasMember() {
  const std::lock_guard lock(mutex_);
  return usable_;
}

absl::Status Lookout::Trouble() {
  const std::lock_guard lock(mutex_);
  if (CannotHelp()) return absl::FailedPreconditionError(Why());
  return absl::UnavailableError(absl::StrCat("the database does not answer: ", Why()));
}

}  // namespace contacts
