package node

import "github.com/seshat-project/seshat/internal/natsjournal"

// Peers is a way to ask the other processes of a fleet, on a subject; nil when there cannot be any. It is closed with the
// node.
func (n *Node) Peers(subject string) (*natsjournal.Bus, error) {
	if !n.hasPeers() {
		return nil, nil //nolint:nilnil // it is said above
	}
	conn, err := n.connect()
	if err != nil {
		return nil, err
	}
	bus := natsjournal.NewBus(conn, subject)
	n.onClose(bus.Close)
	return bus, nil
}
