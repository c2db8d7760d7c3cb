#!/bin/sh
# boot.sh - bootstraps the build system; also the two commands of a newcomer: check and demo.
set -eu
cd "$(dirname "$0")"

# What each command needs, as packages of Debian 12.
PACKAGES_BUILD="autoconf automake gcc make pkg-config libc6-dev libdpdk-dev libnuma-dev libevent-dev libssl-dev \
libjansson-dev libsqlite3-dev libncurses-dev libcmocka-dev"
PACKAGES_DEMO='python3 qemu-system-x86 busybox-static cpio kmod iproute2 iputils-ping ethtool iperf3 socat util-linux'
PACKAGES_CHECK="git python3-pytest python3-scapy openvswitch-common openvswitch-switch python3-openvswitch \
dpdk-dev python3-os-ken ${WEIR_CHECK_PACKAGES:-}"

# Where apt's Python modules are, whatever else is in PATH.
PYTHON=/usr/bin/python3
BUILD=build

usage() {
	cat <<'END'
./boot.sh                     make ./configure (autoreconf); then ./configure && make && make install
sudo ./boot.sh check          install what is missing, build in build/, run all tests
sudo ./boot.sh demo [--keep]  install what is missing, build in build/, show floors and ceilings with real guests
./boot.sh help                this text

check takes words for pytest after it, e.g. check -k guests. demo --help tells the demo's options.
END
}

say() {
	printf '== %s\n' "$*"
}

die() {
	printf 'boot.sh: %s\n' "$*" >&2
	exit 1
}

bootstrap() {
	autoreconf --install --force
}

# Prints those of its arguments that are not installed.
missing_packages() {
	for package in "$@"; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
		[ "$status" = installed ] || printf '%s ' "$package"
	done
}

install_packages() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		die "this is not a Debian machine; install what these packages of Debian 12 hold, then use" \
			"./configure and make: $*"
	fi
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "packages are missing, run this as root to install them: $missing"
	say "installing packages: $missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update >/dev/null || say "apt-get update failed; going on with the lists that are here"
	# The tools of Open vSwitch are wanted, its services are not.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
		trap 'rm -f $policy' EXIT
	fi
	# shellcheck disable=SC2086 # a list of words
	apt-get -qy install --no-install-recommends $missing </dev/null >/dev/null ||
		die "these packages cannot be installed: $missing"
	if grep -qx 'exit 101' $policy && [ "$(wc -l <$policy)" = 2 ]; then
		rm -f $policy
	fi
	trap - EXIT
}

need_root() {
	[ "$(id -u)" = 0 ] || die "$1 needs root, for hugepages, taps and network namespaces"
}

build() {
	[ ! -e config.status ] || die "this tree is configured in place: run 'make distclean' first"
	say "building in $BUILD/"
	mkdir -p $BUILD
	log=$BUILD/build.log
	if ! build_quietly >$log 2>&1; then
		tail -n 40 $log
		printf 'boot.sh: the build failed: all of it in %s\n' "$log" >&2
		return 1
	fi
}

# Configures again only when the build system changed.
build_quietly() {
	if [ ! -e $BUILD/config.status ] || [ ! -e configure ] || newer_than_configure; then
		bootstrap || return 1
		(cd $BUILD && ../configure --enable-werror) || return 1
	fi
	make -C $BUILD -j"$(nproc)" </dev/null
}

newer_than_configure() {
	[ -n "$(find configure.ac Makefile.am lib datapath vswitchd utilities tests \
		\( -name configure.ac -o -name Makefile.am \) -newer configure | head -n 1)" ]
}

record() {
	$PYTHON tests/support/results.py "$@" || true # counted; the total tells in the end
}

check() {
	need_root check
	# shellcheck disable=SC2086
	install_packages $PACKAGES_BUILD $PACKAGES_DEMO $PACKAGES_CHECK
	results=$BUILD/check
	rm -rf $results
	mkdir -p $results
	if build; then
		record exit $results build 0
		check_built "$@"
	else
		record exit $results build 1
	fi
	$PYTHON tests/support/results.py total $results
}

check_built() {
	say "lint"
	status=0
	tests/lint/check-layers --self-test || status=$?
	record exit $results lint-self-test $status
	status=0
	tests/lint/check-layers || status=$?
	record exit $results lint $status

	say "unit, simulation and fuzz-corpus tests"
	status=0
	find $BUILD/tests -name '*.trs' -delete
	make -C $BUILD -k -j"$(nproc)" check </dev/null >$results/make-check.log 2>&1 || status=$?
	[ $status = 0 ] || grep -E '^(FAIL|ERROR|XPASS|\[  FAILED|.*error:)' $results/make-check.log | head -n 40 || true
	record make $results make-check $BUILD $status

	say "system tests: guests boot in emulation, this takes some minutes"
	status=0
	WEIR_BUILD=$PWD/$BUILD timeout 2400 $PYTHON -m pytest -q -rs --junitxml=$results/system.xml \
		tests/system "$@" </dev/null || status=$?
	record junit $results system $results/system.xml $status
}

demo() {
	for word in "$@"; do
		case $word in
		-h | --help)
			exec $PYTHON demo/demo.py --help
			;;
		esac
	done
	need_root demo
	# shellcheck disable=SC2086
	install_packages $PACKAGES_BUILD $PACKAGES_DEMO
	build
	WEIR_BUILD=$PWD/$BUILD exec $PYTHON demo/demo.py "$@"
}

command=${1:-bootstrap}
[ $# = 0 ] || shift
case $command in
bootstrap) bootstrap ;;
check) check "$@" ;;
demo) demo "$@" ;;
help | -h | --help) usage ;;
*)
	usage >&2
	die "unknown command: $command"
	;;
esac
