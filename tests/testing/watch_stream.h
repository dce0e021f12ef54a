#ifndef CONTACTS_TESTS_TESTING_WATCH_STREAM_H_
#define CONTACTS_TESTS_TESTING_WATCH_STREAM_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/testing/fleet.h"

namespace contacts::testing {

inline constexpr char kObserver[] = "observer";

// One stream; what comes is taken one by one.
class WatchStream {
 public:
  // `who` is an account, or kObserver.
  WatchStream(std::shared_ptr<grpc::Channel> channel, const std::string& who,
              const std::string& resume_token = "", const std::string& service = "")
      : stub_(v1::ContactService::NewStub(std::move(channel))) {
    context_.AddMetadata(who == kObserver ? "contacts-caller" : "contacts-account", who);
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
    v1::WatchContactChangesRequest request;
    request.set_resume_token(resume_token);
    request.set_service(service);
    reader_ = stub_->WatchContactChanges(&context_, request);
  }

  // Nothing once the stream has ended.
  std::optional<v1::WatchContactChangesResponse> Next() {
    v1::WatchContactChangesResponse response;
    if (!reader_->Read(&response)) return std::nullopt;
    return response;
  }
  // The token that comes first: the stream has begun.
  std::string Begin() {
    const auto first = Next();
    EXPECT_TRUE(first.has_value() && !first->has_event());
    return first ? first->resume_token() : "";
  }
  // "TYPE" of the next `count` events.
  std::vector<std::string> Types(int count) {
    std::vector<std::string> types;
    while (static_cast<int>(types.size()) < count) {
      const auto next = Next();
      if (!next) break;
      if (!next->has_event()) continue;
      types.push_back(v1::ContactChangeEventType_Name(next->event().type())
                          .substr(sizeof("CONTACT_CHANGE_EVENT_TYPE_") - 1));
    }
    return types;
  }
  grpc::Status Finish() { return reader_->Finish(); }
  void Cancel() { context_.TryCancel(); }

 private:
  const std::unique_ptr<v1::ContactService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchContactChangesResponse>> reader_;
};

inline std::string AskFor(Fleet& fleet, int service, const std::string& to, int server = 0) {
  v1::ChangeContactsResponse response;
  const auto stub = fleet.Stub(server);
  EXPECT_EQ(ReasonOf(Fleet::Ask(*stub, Fleet::ServiceName(service), to, NewRequestId(), response)),
            "OK");
  return response.contact_changes_size() == 0 ? "" : response.contact_changes(0).id();
}

inline void Cancel(Fleet& fleet, const std::string& id, int server = 0) {
  v1::CancelContactChangeRequest request;
  request.set_contact_change_id(id);
  v1::CancelContactChangeResponse response;
  EXPECT_EQ(ReasonOf(fleet.Stub(server)->CancelContactChange(ActingAs(kFleetAdmin).get(), request,
                                                             &response)),
            "OK");
}

// The status that ends a stream that asks for this.
inline std::string EndOf(Fleet& fleet, const std::string& who, const std::string& token,
                         const std::string& service = "") {
  WatchStream stream(fleet.server(0).Channel(), who, token, service);
  while (stream.Next()) {
  }
  return ReasonOf(stream.Finish());
}

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_WATCH_STREAM_H_
