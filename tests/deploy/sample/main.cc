// Prints the services on which an account holds a role: sample HOST:PORT ACCOUNT
#include <grpcpp/grpcpp.h>

#include <iostream>

#include "contacts/v1/contact_service.grpc.pb.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto stub = contacts::v1::ContactService::NewStub(
      grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.AddMetadata("contacts-account", argv[2]);
  contacts::v1::ListServicesResponse response;
  const grpc::Status status = stub->ListServices(&context, {}, &response);
  if (!status.ok()) {
    std::cerr << status.error_message() << "\n";
    return 1;
  }
  for (const auto& service : response.services()) std::cout << service.id() << "\n";
}
