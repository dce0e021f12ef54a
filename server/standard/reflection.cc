#include "server/standard/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <atomic>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"

namespace contacts::server {
namespace {

// The types of one version. Both versions have the same messages.
struct V1 {
  using Service = grpc::reflection::v1::ServerReflection;
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;
};
struct V1Alpha {
  using Service = grpc::reflection::v1alpha::ServerReflection;
  using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
  using Response = grpc::reflection::v1alpha::ServerReflectionResponse;
};

constexpr int kMaxStreams = 32;
// Names of files and symbols are shorter. The answer repeats the request.
constexpr std::size_t kMaxRequestBytes = 1024;

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

// `file` and what it imports, each once.
template <typename Files>
void AddFiles(const FileDescriptor& file, std::set<const FileDescriptor*>& added, Files& response) {
  if (!added.insert(&file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) AddFiles(*file.dependency(i), added, response);
}

template <typename Version>
class Reflection final : public Version::Service::CallbackService {
 public:
  using Request = typename Version::Request;
  using Response = typename Version::Response;

  Reflection(std::vector<std::string> services, std::shared_ptr<std::atomic<int>> streams)
      : services_(std::move(services)), streams_(std::move(streams)) {}

  grpc::ServerBidiReactor<Request, Response>* ServerReflectionInfo(
      grpc::CallbackServerContext* /*context*/) override {
    return new Stream(this);
  }

 private:
  class Stream;
  Response Answer(const Request& request) const;

  const std::vector<std::string> services_;
  const std::shared_ptr<std::atomic<int>> streams_;  // Open ones, of both versions.
};

// One call. OnDone, the last call of gRPC, deletes it.
template <typename Version>
class Reflection<Version>::Stream final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  explicit Stream(const Reflection* reflection) : reflection_(reflection) {
    if (++*reflection_->streams_ > kMaxStreams) {
      this->Finish({grpc::StatusCode::UNAVAILABLE, "too many streams of reflection; try again"});
    } else {
      this->StartRead(&request_);
    }
  }
  ~Stream() override { --*reflection_->streams_; }

  void OnReadDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status::OK);
    if (request_.ByteSizeLong() > kMaxRequestBytes) {
      return this->Finish({grpc::StatusCode::INVALID_ARGUMENT,
                           absl::StrCat("want a request of at most ", kMaxRequestBytes, " bytes")});
    }
    response_ = reflection_->Answer(request_);
    this->StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish({grpc::StatusCode::UNAVAILABLE, "the stream is broken"});
    this->StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  const Reflection* const reflection_;
  Request request_;
  Response response_;
};

template <typename Version>
typename Version::Response Reflection<Version>::Answer(const Request& request) const {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  const auto fail = [&](grpc::StatusCode code, const std::string& message) {
    response.mutable_error_response()->set_error_code(static_cast<int>(code));
    response.mutable_error_response()->set_error_message(message);
  };
  const auto give = [&](const FileDescriptor* file, const std::string& what) {
    if (file == nullptr) return fail(grpc::StatusCode::NOT_FOUND, absl::StrCat("no ", what));
    std::set<const FileDescriptor*> added;
    AddFiles(*file, added, *response.mutable_file_descriptor_response());
  };
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      give(pool.FindFileByName(request.file_by_filename()), request.file_by_filename());
      break;
    case Request::kFileContainingSymbol:
      give(pool.FindFileContainingSymbol(request.file_containing_symbol()),
           request.file_containing_symbol());
      break;
    case Request::kListServices:
      for (const std::string& name : services_) {
        response.mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case Request::kFileContainingExtension:
    case Request::kAllExtensionNumbersOfType:
      fail(grpc::StatusCode::NOT_FOUND, "the contract has no extensions");
      break;
    default: fail(grpc::StatusCode::INVALID_ARGUMENT, "no question; want one of message_request");
  }
  return response;
}

}  // namespace

std::vector<std::unique_ptr<grpc::Service>> MakeReflection(
    const std::vector<std::string>& services) {
  const auto streams = std::make_shared<std::atomic<int>>(0);
  std::vector<std::unique_ptr<grpc::Service>> both;
  both.push_back(std::make_unique<Reflection<V1>>(services, streams));
  both.push_back(std::make_unique<Reflection<V1Alpha>>(services, streams));
  return both;
}

}  // namespace contacts::server
