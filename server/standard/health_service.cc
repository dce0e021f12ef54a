#include "server/standard/health_service.h"

#include <optional>

namespace contacts::server {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// One call of Watch. It owns itself: gRPC calls OnDone last, which deletes it.
class HealthService::Stream final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  explicit Stream(HealthService* service) : service_(service) {}

  void Start(const std::string& name) {
    {
      const std::lock_guard lock(service_->mutex_);
      if (service_->streams_.size() < kMaxStreams) {
        place_ = service_->streams_.insert(service_->streams_.end(), this);
        const auto known = service_->states_.find(name);
        // Names are set when the server starts, so an unknown one stays unknown. It is not kept: it
        // may be long.
        if (known != service_->states_.end()) name_ = &known->first;
        return Tell(name_ == nullptr ? HealthCheckResponse::SERVICE_UNKNOWN : known->second);
      }
      ended_ = true;
    }
    Finish({grpc::StatusCode::UNIMPLEMENTED, "too many streams of health; use Check"});
  }

  // The name it watches. Null if it is unknown.
  const std::string* name() const { return name_; }

  // With the service's mutex held. The client gets the latest state once it has read the one
  // before.
  void Tell(State state) {
    state_ = state;
    if (writing_ || ended_ || state_ == response_.status()) return;
    response_.set_status(state_);
    writing_ = true;
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return End();
    const std::lock_guard lock(service_->mutex_);
    writing_ = false;
    Tell(state_);
  }
  void OnCancel() override { End(); }
  void OnDone() override {
    {
      const std::lock_guard lock(service_->mutex_);
      if (place_) service_->streams_.erase(*place_);
    }
    delete this;
  }

 private:
  void End() {
    {
      const std::lock_guard lock(service_->mutex_);
      if (ended_) return;
      ended_ = true;
    }
    Finish(grpc::Status::CANCELLED);
  }

  HealthService* const service_;
  const std::string* name_ = nullptr;
  std::optional<std::list<Stream*>::iterator> place_;
  State state_ = HealthCheckResponse::UNKNOWN;
  HealthCheckResponse response_;  // The one sent last. UNKNOWN before the first.
  bool writing_ = false;
  bool ended_ = false;
};

void HealthService::SetServingStatus(const std::string& name, bool serving) {
  const std::lock_guard lock(mutex_);
  Set(states_.try_emplace(name, HealthCheckResponse::UNKNOWN).first, serving);
}

void HealthService::SetServingStatus(bool serving) {
  const std::lock_guard lock(mutex_);
  for (auto name = states_.begin(); name != states_.end(); ++name) Set(name, serving);
}

void HealthService::Set(std::map<std::string, State>::iterator name, bool serving) {
  name->second = serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  for (Stream* stream : streams_) {
    if (stream->name() == &name->first) stream->Tell(name->second);
  }
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  grpc::Status status(grpc::StatusCode::NOT_FOUND, "unknown service");
  {
    const std::lock_guard lock(mutex_);
    const auto known = states_.find(request->service());
    if (known != states_.end()) {
      response->set_status(known->second);
      status = grpc::Status::OK;
    }
  }
  reactor->Finish(status);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    grpc::CallbackServerContext* /*context*/, const HealthCheckRequest* request) {
  auto* stream = new Stream(this);
  stream->Start(request->service());
  return stream;
}

}  // namespace contacts::server
