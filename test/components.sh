# The components that tests run against, in one place. Sourced by test/install.sh.
DEBIAN_PACKAGES=(jq gawk)
declare -A PACKAGE_COMMAND=([jq]=jq [gawk]=gawk)
