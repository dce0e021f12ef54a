#include "core/mysql/sockets.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

namespace contacts {
namespace {

constexpr char kMember[] = "127.0.0.1:3306";

// A connection: its own socket, and the peer's.
struct Connected {
  Connected() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Connected() {
    close(ends[0]);
    close(ends[1]);
  }
  // Whether somebody shut the connection.
  bool Shut() const {
    char byte = 0;
    return recv(ends[1], &byte, 1, MSG_DONTWAIT) == 0;
  }
  int ends[2] = {-1, -1};
};

TEST(Sockets, ShutsThoseOfOneMemberAlone) {
  Sockets sockets;
  const Connected one, other;
  const Sockets::Entry first(&sockets, one.ends[0], kMember);
  const Sockets::Entry second(&sockets, other.ends[0], "127.0.0.1:3307");
  sockets.ShutAll(kMember);
  EXPECT_TRUE(one.Shut());
  EXPECT_FALSE(other.Shut());
}

TEST(Sockets, ADescriptorThatTheLibraryClosedAndThatWasGivenOutAgainIsNotMistaken) {
  Sockets sockets;
  std::optional<Sockets::Entry> broken;
  int number = -1;
  {
    const Connected gone;
    number = gone.ends[0];
    broken.emplace(&sockets, number, kMember);
  }
  const Connected stranger;
  ASSERT_EQ(stranger.ends[0], number);
  broken->Shut();
  sockets.ShutAll(kMember);
  EXPECT_FALSE(stranger.Shut());

  // Destroying the broken connection's entry leaves the new one in the list.
  const Sockets::Entry fresh(&sockets, stranger.ends[0], kMember);
  broken.reset();
  sockets.ShutAll(kMember);
  EXPECT_TRUE(stranger.Shut());
}

TEST(Sockets, KeepsNoDescriptor) {
  Sockets sockets;
  const Connected connected;
  { const Sockets::Entry entry(&sockets, connected.ends[0], kMember); }
  const int next = dup(connected.ends[0]);
  EXPECT_EQ(next, connected.ends[1] + 1);
  close(next);
}

}  // namespace
}  // namespace contacts
