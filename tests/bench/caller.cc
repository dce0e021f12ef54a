#include "tests/bench/caller.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "server/messages/page_token.h"

namespace contacts::bench {
namespace {

// Rows of the data set that the reads use: spread over all of it, and few enough to stay in
// memory.
constexpr int64_t kWorkingSet = 10'000;
constexpr int kPageSize = 50;

struct Named {
  Kind kind;
  const char* name;
};
constexpr Named kNames[kKinds] = {
    {Kind::kGet, "get"},
    {Kind::kProfile, "profile"},
    {Kind::kService, "service"},
    {Kind::kServices, "services"},
    {Kind::kServicesFar, "services_far"},
    {Kind::kChanges, "changes"},
    {Kind::kChangesFar, "changes_far"},
    {Kind::kEvents, "events"},
    {Kind::kSearchAccount, "search_account"},
    {Kind::kSearchService, "search_service"},
    {Kind::kSearchTime, "search_time"},
    {Kind::kOwner, "owner"},
    {Kind::kAsk, "ask"},
    {Kind::kAcceptFirst, "accept_first"},
    {Kind::kAcceptLast, "accept_last"},
    {Kind::kRefuse, "refuse"},
    {Kind::kCancel, "cancel"},
};

}  // namespace

int64_t DataSet::Every() const {
  constexpr int64_t kMostHeld = 100'000;
  return services / std::min(services / 20, kMostHeld);
}

std::string DataSet::Holder(int64_t i) { return absl::StrFormat("gz%07d-ovh", i); }

std::string DataSet::Service(int64_t i) { return absl::StrFormat("s%08d.example", i); }

std::string DataSet::Change(int64_t j) {
  // In the form of UUIDs version 7, which begin with milliseconds.
  constexpr int64_t kFirst = 1'672'531'200'000;
  constexpr int64_t kStep = 6;
  const std::string hex = absl::StrFormat("%012x70008%015x", kFirst + j * kStep, j);
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

std::string DataSet::Admin(int64_t i) const {
  if (i % Every() < kHolders) return Holder(i % Every());
  return absl::StrFormat("ga%07d-ovh", i % (services / 10));
}

const char* Name(Kind kind) { return kNames[static_cast<int>(kind)].name; }

std::vector<Plan> PlansOf(const std::string& scenario) {
  const std::vector<Kind> workflow = {Kind::kAsk, Kind::kAcceptFirst, Kind::kAcceptLast};
  if (scenario == "workflow") return {{.calls = workflow}};
  if (scenario == "refusal") return {{.calls = {Kind::kAsk, Kind::kRefuse}}};
  if (scenario == "cancellation") return {{.calls = {Kind::kAsk, Kind::kCancel}}};
  if (scenario == "mixed") {
    return {{.weight = 70, .calls = {Kind::kGet}},
            {.weight = 7.5, .calls = {Kind::kServices}},
            {.weight = 7.5, .calls = {Kind::kChanges}},
            {.weight = 15, .calls = workflow}};
  }
  for (const auto& [kind, name] : kNames) {
    if (scenario == name && kind < Kind::kAsk) return {{.calls = {kind}}};
  }
  return {};
}

bool Writes(const std::vector<Plan>& plans) {
  return std::any_of(plans.begin(), plans.end(), [](const Plan& plan) {
    return plan.calls.front() >= Kind::kOwner || plan.calls.front() == Kind::kProfile;
  });
}

Names::Names(int caller, std::size_t flow) {
  static const std::string run = Uuid::Version4().text().substr(0, 8);
  admin = absl::StrFormat("la%07d-ovh", caller);
  first = absl::StrFormat("lb%07d-ovh", caller);
  second = absl::StrFormat("lc%07d-ovh", caller);
  prefix = absl::StrFormat("%s-%05d-%05d-", run, caller, flow);
}

std::string Names::Service(int i) const { return absl::StrFormat("%s%04d.example", prefix, i); }

Caller::Caller(std::vector<Plan> plans, int index, std::size_t flows)
    : plans_(std::move(plans)), index_(index), random_(static_cast<unsigned int>(index + 1)) {
  for (std::size_t i = 0; i < flows; ++i) flows_.push_back({.names = Names(index, i)});
}

void Caller::Call(std::size_t flow_index, const Done& done) {
  Flow& flow = flows_[flow_index];
  if (flow.next == 0 && plans_.size() > 1) {
    std::vector<double> weights;
    for (const Plan& plan : plans_) weights.push_back(plan.weight);
    flow.plan = std::discrete_distribution<std::size_t>(weights.begin(), weights.end())(random_);
  }
  const std::vector<Kind>& calls = plans_[flow.plan].calls;
  const Kind kind = calls[flow.next];
  Make(kind, flow_index, [&flow, &calls, kind, done](const absl::Status& status) {
    if (status.ok()) {
      if (kind == Kind::kAcceptLast) flow.to_first = !flow.to_first;
      flow.next = (flow.next + 1) % calls.size();
    }
    done(kind, status);
  });
}

ApiCaller::ApiCaller(const Scenario& scenario, std::shared_ptr<Api> api, int index,
                     std::size_t flows)
    : Caller(scenario.plans, index, flows), scenario_(scenario), api_(std::move(api)) {}

template <typename Request, typename Response>
void ApiCaller::Send(Method method, const std::string& account, Request request,
                     const Api::Done& done, std::function<void(const Response&)> read) {
  request_ = std::make_unique<Request>(std::move(request));
  response_ = std::make_unique<Response>();
  api_->Make(method, account, *request_, *response_,
             [this, method, account, done, read = std::move(read)](const absl::Status& status) {
               if (status.ok() && read) read(static_cast<const Response&>(*response_));
               if (status.ok() && observer) observer(method, account, *request_, *response_);
               done(status);
             });
}

template <typename Request, typename Response>
void ApiCaller::Answer(Method method, const std::string& account, const Flow& flow,
                       const Api::Done& done) {
  Request request;
  request.set_contact_change_id(flow.change);
  request.set_request_id(Uuid::Version4().text());
  if constexpr (requires { request.set_token(""); }) {
    const AccountId id(account);
    request.set_token(*scenario_.keys.Derive(
        scenario_.keys.active(), {.change = *Uuid::Parse(flow.change),
                                  .account = id,
                                  .generation = 1,
                                  .address = AddressDigest(id, account + "@mail.example")}));
  }
  Send<Request, Response>(method, account, std::move(request), done);
}

void ApiCaller::Make(Kind kind, std::size_t flow_index, const Api::Done& done) {
  Flow& flow = flows_[flow_index];
  const DataSet& data = scenario_.data;
  const Names& names = flow.names;
  // A row of the working set.
  const auto pick = [&](int64_t rows) {
    const int64_t set = std::max<int64_t>(1, std::min(rows, kWorkingSet));
    return std::uniform_int_distribution<int64_t>(0, set - 1)(random_) * (rows / set);
  };
  const int holder = index_ % DataSet::kHolders;
  switch (kind) {
    case Kind::kGet: {
      const int64_t j = pick(data.changes);
      v1::GetContactChangeRequest request;
      request.set_contact_change_id(DataSet::Change(j));
      return Send<v1::GetContactChangeRequest, v1::GetContactChangeResponse>(
          Method::kGetContactChange, data.Requester(j), std::move(request), done);
    }
    case Kind::kProfile:
      return Send<v1::GetProfileRequest, v1::GetProfileResponse>(Method::kGetProfile, names.admin,
                                                                 {}, done);
    case Kind::kService: {
      const int64_t i = pick(data.services);
      v1::GetServiceRequest request;
      request.set_service(DataSet::Service(i));
      return Send<v1::GetServiceRequest, v1::GetServiceResponse>(Method::kGetService, data.Admin(i),
                                                                 std::move(request), done);
    }
    case Kind::kServices:
    case Kind::kServicesFar: {
      v1::ListServicesRequest request;
      request.set_page_size(kPageSize);
      if (kind == Kind::kServicesFar) {
        const int64_t far = data.services / data.Every() * 9 / 10 * data.Every() + holder;
        request.set_page_token(server::MakePageToken(request, DataSet::Service(far)));
      }
      return Send<v1::ListServicesRequest, v1::ListServicesResponse>(
          Method::kListServices, DataSet::Holder(holder), std::move(request), done);
    }
    case Kind::kChanges:
    case Kind::kChangesFar: {
      v1::ListContactChangesRequest request;
      request.set_page_size(kPageSize);
      if (kind == Kind::kChangesFar) {
        const int64_t far = data.changes / data.Every() / 10 * data.Every() + holder;
        request.set_page_token(server::MakePageToken(request, DataSet::Change(far)));
      }
      return Send<v1::ListContactChangesRequest, v1::ListContactChangesResponse>(
          Method::kListContactChanges, DataSet::Holder(holder), std::move(request), done);
    }
    case Kind::kEvents: {
      const int64_t j = pick(data.changes);
      v1::ListContactChangeEventsRequest request;
      request.set_contact_change_id(DataSet::Change(j));
      return Send<v1::ListContactChangeEventsRequest, v1::ListContactChangeEventsResponse>(
          Method::kListContactChangeEvents, data.Requester(j), std::move(request), done);
    }
    case Kind::kSearchAccount:
    case Kind::kSearchService:
    case Kind::kSearchTime: {
      v1::SearchContactChangesRequest request;
      request.set_page_size(kPageSize);
      if (kind == Kind::kSearchAccount) request.set_account(DataSet::Holder(holder));
      if (kind == Kind::kSearchService) request.set_service(DataSet::Service(pick(data.services)));
      if (kind == Kind::kSearchTime) request.mutable_create_time_from()->set_seconds(1);
      return Send<v1::SearchContactChangesRequest, v1::SearchContactChangesResponse>(
          Method::kSearchContactChanges, "", std::move(request), done);
    }
    case Kind::kOwner: {
      v1::UpdateServiceOwnerRequest request;
      request.set_service(names.Service(0));
      request.mutable_owner()->set_city(absl::StrCat("City ", random_()));
      request.mutable_update_mask()->add_paths("city");
      return Send<v1::UpdateServiceOwnerRequest, v1::UpdateServiceOwnerResponse>(
          Method::kUpdateServiceOwner, names.admin, std::move(request), done);
    }
    case Kind::kAsk: {
      v1::ChangeContactsRequest request;
      request.set_request_id(Uuid::Version4().text());
      for (int i = 0; i < scenario_.assignments; ++i) {
        v1::ContactAssignment& assignment = *request.add_assignments();
        assignment.set_service(names.Service(i));
        assignment.set_role(v1::CONTACT_ROLE_TECH);
        assignment.set_new_contact(flow.to_first ? names.first : names.second);
      }
      return Send<v1::ChangeContactsRequest, v1::ChangeContactsResponse>(
          Method::kChangeContacts, names.admin, std::move(request), done,
          [&flow](const v1::ChangeContactsResponse& response) {
            flow.change = response.contact_changes(0).id();
          });
    }
    case Kind::kAcceptFirst:
      return Answer<v1::AcceptContactChangeRequest, v1::AcceptContactChangeResponse>(
          Method::kAcceptContactChange, names.admin, flow, done);
    case Kind::kAcceptLast:
      return Answer<v1::AcceptContactChangeRequest, v1::AcceptContactChangeResponse>(
          Method::kAcceptContactChange, flow.to_first ? names.first : names.second, flow, done);
    case Kind::kRefuse:
      return Answer<v1::RefuseContactChangeRequest, v1::RefuseContactChangeResponse>(
          Method::kRefuseContactChange, names.admin, flow, done);
    case Kind::kCancel:
      return Answer<v1::CancelContactChangeRequest, v1::CancelContactChangeResponse>(
          Method::kCancelContactChange, names.admin, flow, done);
  }
}

absl::Status CreateFixtures(Engine& engine, int callers, std::size_t flows, int assignments) {
  constexpr std::size_t kBatch = 1000;
  std::vector<ImportRecord> records;
  const auto commit = [&]() -> absl::Status {
    if (records.empty()) return absl::OkStatus();
    const auto rejected = engine.bulk.ImportBatch({.deadline = absl::Now() + absl::Seconds(60)},
                                                  std::exchange(records, {}));
    if (!rejected.ok()) return rejected.status();
    return rejected->empty() ? absl::OkStatus() : rejected->front().why;
  };
  for (int caller = 0; caller < callers; ++caller) {
    const Names names(caller, 0);
    for (const std::string& id : {names.admin, names.first, names.second}) {
      records.push_back(AccountRecord{.id = AccountId(id), .email = id + "@mail.example"});
    }
    for (std::size_t flow = 0; flow < flows; ++flow) {
      for (int i = 0; i < assignments; ++i) {
        Service service;
        service.id = ServiceId(Names(caller, flow).Service(i));
        service.kind = "domain";
        service.admin = service.billing = AccountId(names.admin);
        service.tech = AccountId(names.first);
        records.push_back(std::move(service));
        if (records.size() < kBatch) continue;
        if (absl::Status committed = commit(); !committed.ok()) return committed;
      }
    }
  }
  return commit();
}

}  // namespace contacts::bench
