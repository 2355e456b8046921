package main

import (
	"net"
	"os"
)

// notifyReady tells systemd that the instance serves (sd_notify). Without systemd it does nothing.
func notifyReady() { notify("READY=1") }

func notifyStopping() { notify("STOPPING=1") }

func notify(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	if name[0] == '@' {
		name = "\x00" + name[1:] // an abstract socket
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return // whoever waits for it gives up on their own
	}
	_, _ = conn.Write([]byte(state))
	_ = conn.Close()
}
