#!/usr/bin/env bash
# Installs the Debian packages that are missing. If none is missing, needs no network.
# install-packages.sh build|run|test|fuzz|bench|package|image|stubs|check...
set -euo pipefail

declare -A groups=(
  [build]="cmake ninja-build ccache g++ pkg-config libgrpc++-dev protobuf-compiler-grpc
    libprotobuf-dev protobuf-compiler libabsl-dev libmysqlcppconn-dev libboost-dev
    libboost-locale-dev gettext libicu-dev libyaml-cpp-dev
    libgtest-dev libgmock-dev golang-github-gogo-googleapis-dev grpc-proto libgmime-3.0-dev libspdlog-dev
    libcli11-dev libctemplate-dev prometheus-cpp-dev nlohmann-json3-dev libssl-dev libcurl4-openssl-dev"
  [run]="mariadb-server python3"
  [test]="chromium chromium-driver debootstrap faketime iproute2 libnginx-mod-stream nftables nginx openssl postfix
    prometheus python3-aiosmtpd python3-selenium python3-yaml systemd"
  [fuzz]="clang libclang-rt-14-dev"
  [bench]="debootstrap nghttp2-client"
  [package]="debootstrap dpkg-dev file help2man"
  [image]="buildah debootstrap"
  [stubs]="default-jdk-headless golang-github-golang-protobuf-1-5-dev golang-go
    golang-google-genproto-dev golang-google-grpc-dev golang-google-protobuf-dev
    libgeronimo-annotation-1.3-spec-java libgoogle-gson-java libgrpc-java libguava-java
    libjsr305-java libnetty-java libperfmark-java libprotobuf-java nodejs npm protoc-gen-go
    protoc-gen-go-grpc protobuf-compiler-grpc-java-plugin python3-grpcio python3-protobuf"
  [check]="clang-format clang-tidy shellcheck nodejs npm"
)

missing=()
for group in "$@"; do
  for package in ${groups[$group]}; do
    # A machine may have its own Node.js.
    case $package in
      nodejs) command -v node >/dev/null && continue ;;
      npm) command -v npm >/dev/null && continue ;;
    esac
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
done
((${#missing[@]})) || exit 0

echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
# The packages' daemons are started neither now nor with the machine: scripts and tests that
# need a database, Postfix or Prometheus start a private one.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
apt-get -o DPkg::Lock::Timeout=300 -qq update
apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
declare -A daemons=([mariadb-server]=mariadb [nginx]=nginx [postfix]=postfix [prometheus]=prometheus)
for package in "${missing[@]}"; do
  [[ -z ${daemons[$package]:-} ]] || update-rc.d "${daemons[$package]}" disable
done
