// Measures gRPC's part of a call: a server with the settings, the methods and the raw messages
// of contactsd. It reads its answers from files when it starts. Included: gRPC on both sides,
// the socket, the client with its stubs. Not included: identities, parsing, validation, queue,
// log, metrics, engine.
//
//   contacts_echo DIR    answers a method with the file DIR/METHOD; ends when its input ends

#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "server/calls/admission.h"
#include "server/calls/contact_service.h"
#include "server/config/config.h"
#include "server/ports.h"

namespace contacts::bench {
namespace {

class EchoService final : public server::RawContactService {
 public:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  explicit EchoService(const std::string& directory) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      std::ostringstream text;
      text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      replies_[entry.path().filename()] = server::ToBuffer(text.str());
    }
  }

  Reactor* ListServices(Context* context, const Bytes* /*in*/, Bytes* out) override {
    return Answer("ListServices", context, out);
  }
  Reactor* ChangeContacts(Context* context, const Bytes* /*in*/, Bytes* out) override {
    return Answer("ChangeContacts", context, out);
  }
  Reactor* GetContactChange(Context* context, const Bytes* /*in*/, Bytes* out) override {
    return Answer("GetContactChange", context, out);
  }
  Reactor* ListContactChanges(Context* context, const Bytes* /*in*/, Bytes* out) override {
    return Answer("ListContactChanges", context, out);
  }
  Reactor* AcceptContactChange(Context* context, const Bytes* /*in*/, Bytes* out) override {
    return Answer("AcceptContactChange", context, out);
  }

 private:
  Reactor* Answer(const char* method, Context* context, Bytes* out) const {
    *out = replies_.at(method);
    Reactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  std::map<std::string, Bytes> replies_;
};

int Serve(const std::string& directory) {
  EchoService service(directory);
  grpc::ServerBuilder builder;
  server::AddLimits(builder, server::Config());
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::cout << "listening on 127.0.0.1:" << port << std::endl;
  while (std::getchar() != EOF) {
  }
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace contacts::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "contacts_echo DIR\n";
    return 2;
  }
  return contacts::bench::Serve(argv[1]);
}
