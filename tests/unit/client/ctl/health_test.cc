// contactctl health against the health service of a gRPC server in this process.
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "client/ctl/command_line.h"
#include "client/lib/errors.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace contacts::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Health : public ::testing::Test {
 protected:
  Health() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&contacts_);
    server_ = builder.BuildAndStart();
    grpc::EnableDefaultHealthCheckService(false);
  }

  ~Health() override {
    if (server_ != nullptr) server_->Shutdown();
  }

  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--server=127.0.0.1:" + std::to_string(port_), "health"});
    out_.str("");
    err_.str("");
    std::istringstream in;
    return RunCommandLine(arguments, "", Streams{.in = in, .out = out_, .err = err_});
  }

  int port_ = 0;
  v1::ContactService::CallbackService contacts_;  // gRPC starts no server without a service.
  std::unique_ptr<grpc::Server> server_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(Health, EndsWithZeroWhereTheServerServes) {
  EXPECT_EQ(Run({}), kDone) << err_.str();
  EXPECT_EQ(out_.str(), "SERVING\n");
  EXPECT_EQ(Run({"--output=json"}), kDone);
  EXPECT_EQ(nlohmann::json::parse(out_.str()).at("status"), "SERVING");
}

TEST_F(Health, EndsWithOneWhereTheServerDoesNotServe) {
  server_->GetHealthCheckService()->SetServingStatus(false);
  EXPECT_EQ(Run({}), kOtherFailure);
  EXPECT_THAT(out_.str(), IsEmpty());
  EXPECT_THAT(err_.str(), HasSubstr("is NOT_SERVING; want SERVING"));
  EXPECT_EQ(Run({"--output=json"}), kOtherFailure);
  EXPECT_EQ(nlohmann::json::parse(err_.str()).at("error").at("code"), "NOT_SERVING");
}

TEST_F(Health, AsksForANamedService) {
  server_->GetHealthCheckService()->SetServingStatus("one", false);
  EXPECT_EQ(Run({}), kDone);
  EXPECT_EQ(Run({"one"}), kOtherFailure);
  server_->GetHealthCheckService()->SetServingStatus("one", true);
  EXPECT_EQ(Run({"one"}), kDone);
  EXPECT_EQ(Run({"another"}), kOtherFailure);
  EXPECT_THAT(err_.str(), HasSubstr("[NOT_FOUND]"));
}

TEST_F(Health, EndsWithOneWhereNobodyAnswers) {
  server_->Shutdown();
  server_.reset();
  EXPECT_EQ(Run({"--output=json"}), kOtherFailure);
  const auto error = nlohmann::json::parse(err_.str()).at("error");
  EXPECT_EQ(error.at("code"), "UNAVAILABLE");
  EXPECT_EQ(error.at("exit_status"), 1);
}

}  // namespace
}  // namespace contacts::client
