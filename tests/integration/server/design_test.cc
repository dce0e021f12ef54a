// The files by which a provider makes the e-mails its own, as a server follows them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "core/letter/embedded.h"
#include "tests/testing/fleet.h"
#include "tests/testing/server_process.h"
#include "tests/testing/test_database.h"

namespace contacts {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

class DesignTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(Path("design")); }

  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }
  // As an editor does: the file is never half written.
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path("part")) << text;
    std::filesystem::rename(Path("part"), Path(name));
  }
  // The output of contactsd --check with these flags, which must be wrong.
  std::string Fault(const std::string& flags) const {
    const std::string command =
        absl::StrCat("cd ", directory_.path(), " && ", std::getenv("CONTACTS_TEST_BIN_DIR"),
                     "/server/contactsd --check --auth=development --mail=maildir:m --mysql=",
                     database_.server_uri(), " ", flags, " >out 2>&1");
    // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): the program under test.
    EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 2);
    return ReadFile(Path("out"));
  }
  void AwaitInLog(const std::string& text) const {
    for (int i = 0; i < 600 && !absl::StrContains(ReadFile(Path("log")), text); ++i) {
      absl::SleepFor(absl::Milliseconds(50));
    }
    EXPECT_THAT(ReadFile(Path("log")), HasSubstr(text));
  }
  // Asks for another address of an account, and returns the e-mail to it.
  std::string NextEmail() {
    const std::string address = absl::StrCat("new", ++asked_, "@mail.example");
    v1::UpdateProfileRequest request;
    v1::UpdateProfileResponse response;
    request.mutable_account()->set_email(address);
    request.mutable_update_mask()->add_paths("email");
    const auto stub = v1::ContactService::NewStub(server_.Channel());
    const grpc::Status status = stub->UpdateProfile(ActingAs("aa1-ovh").get(), request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    for (int i = 0; i < 600; ++i) {
      for (const std::string& mail : ReadMaildir(Path("mail"))) {
        if (absl::StrContains(mail, absl::StrCat("To: ", address))) return mail;
      }
      absl::SleepFor(absl::Milliseconds(50));
    }
    ADD_FAILURE() << "no e-mail";
    return "";
  }
  static std::string Template(const std::string& first) {
    return absl::StrCat(first, "\n", EmbeddedDesign().at("mail.txt"));
  }

  const TestDatabase database_;
  const TemporaryDirectory directory_;
  ServerProcess server_{
      database_.server_uri(),
      directory_.path(),
      {"--mail_templates=" + Path("design"), "--mail_brand_file=" + Path("b.yaml")}};
  int asked_ = 0;
};

TEST_F(DesignTest, AWrongFileStopsTheStartWithItsLineAndReason) {
  Write("design/mail.txt", Template("\n{{titel}}"));
  EXPECT_THAT(Fault("--mail_templates=design"),
              HasSubstr("--mail_templates: design/mail.txt:2: {{titel}}: no such name"));
  Write("b.yaml", "name: Brand\nlogo: none.png\n");
  EXPECT_THAT(Fault("--mail_brand_file=b.yaml"),
              HasSubstr("--mail_brand_file: b.yaml:2: none.png: No such file or directory"));
  std::filesystem::remove(Path("design/mail.txt"));
  Write("design/fr.mo", "\xde\x12\x04\x95");
  EXPECT_THAT(Fault("--mail_templates=design"), HasSubstr("--mail_templates: design/fr.mo: "));
  EXPECT_THAT(Fault("--mail_templates=none"), HasSubstr("none: No such file or directory"));
}

TEST_F(DesignTest, AChangeIsFollowedAndAWrongOneLeavesWhatWasBefore) {
  Write("b.yaml", "footer: Footer One\n");
  Write("design/mail.txt", Template("First"));
  server_.Start();
  const auto directory = v1::DirectoryService::NewStub(server_.Channel());
  v1::CreateAccountRequest account;
  v1::CreateAccountResponse created;
  account.mutable_account()->set_id("aa1-ovh");
  account.mutable_account()->set_email("aa1@mail.example");
  grpc::ClientContext as_operator;
  as_operator.AddMetadata("contacts-caller", "operator");
  ASSERT_TRUE(directory->CreateAccount(&as_operator, account, &created).ok());
  EXPECT_THAT(NextEmail(), AllOf(HasSubstr("\nFirst\n"), HasSubstr("Footer One")));

  Write("design/mail.txt", Template("{{#row}}"));
  AwaitInLog("design/mail.txt:1: {{#row}} without {{/row}}; what was read before stays in use");
  EXPECT_THAT(NextEmail(), HasSubstr("\nFirst\n"));

  Write("b.yaml", "footer: Footer Two\n");
  Write("design/mail.txt", Template("Second"));
  AwaitInLog("reloaded design of e-mails");
  EXPECT_THAT(NextEmail(), AllOf(HasSubstr("\nSecond\n"), HasSubstr("Footer Two")));
}

}  // namespace
}  // namespace contacts
