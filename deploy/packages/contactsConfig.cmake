# find_package(contacts): the target contacts::contacts_grpc has the stubs and all that they need.
include(CMakeFindDependencyMacro)
find_dependency(Protobuf)
find_dependency(gRPC)
include("${CMAKE_CURRENT_LIST_DIR}/contactsTargets.cmake")
