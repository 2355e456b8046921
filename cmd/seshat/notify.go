package main

import (
	"net"
	"os"
	"strconv"
)

// notifyReady tells systemd that the instance serves (sd_notify). Without systemd it does nothing.
func notifyReady() { notify("READY=1") }

// notifyReloading tells systemd that the configuration is read again; notifyReady ends that. Units of Type=notify-reload
// need to know when it was.
func notifyReloading() {
	state := "RELOADING=1"
	if now := monotonicMicroseconds(); now > 0 {
		state += "\nMONOTONIC_USEC=" + strconv.FormatInt(now, 10)
	}
	notify(state)
}

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
