package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// all are the proxies that can be measured with the programs that are there.
func all(o *options, dir, origin string) []*subject {
	var out []*subject
	add := func(name, title string, prepare func(dir, address string) ([]*exec.Cmd, error)) *subject {
		own := filepath.Join(dir, name)
		s := &subject{name: name, title: title, address: freeAddress()}
		s.prepare = func() ([]*exec.Cmd, error) {
			if err := os.MkdirAll(own, 0o750); err != nil {
				return nil, err
			}
			return prepare(own, s.address)
		}
		out = append(out, s)
		return s
	}
	if o.nginx != "" {
		add("nginx", "NGINX, plain proxy", func(dir, address string) ([]*exec.Cmd, error) {
			config := fmt.Sprintf(nginxConfig, dir, address, origin)
			file, err := write(dir, "nginx.conf", config)
			return []*exec.Cmd{exec.Command(o.nginx, "-e", filepath.Join(dir, "error.log"), "-c", file)}, err //nolint:gosec // programs that the operator names
		})
	}
	add("seshat", "Seshat: 10 rules, journal, store, one limit", func(dir, address string) ([]*exec.Cmd, error) {
		config, err := seshatConfig(dir, address, origin, "")
		return []*exec.Cmd{exec.Command(o.seshat, "run", "--data", filepath.Join(dir, "data"), "-c", config)}, err //nolint:gosec // programs that the operator names
	}).settles = 1500 * time.Millisecond
	if o.caddy != "" {
		add("caddy", "Caddy, plain proxy", func(dir, address string) ([]*exec.Cmd, error) {
			file, err := write(dir, "Caddyfile", fmt.Sprintf(caddyConfig, address[strings.LastIndexByte(address, ':'):], origin))
			c := exec.Command(o.caddy, "run", "--adapter", "caddyfile", "--config", file) //nolint:gosec // programs that the operator names
			c.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
			return []*exec.Cmd{c}, err
		})
	}
	add("reverseproxy", "net/http ReverseProxy", func(_, address string) ([]*exec.Cmd, error) {
		self, err := os.Executable()
		return []*exec.Cmd{exec.Command(self, "-serve", address, "-to", "http://"+origin)}, err //nolint:gosec // programs that the operator names
	})
	if o.envoy != "" && o.empty != "" {
		add("envoy-empty", "Envoy + empty ext_proc", func(dir, address string) ([]*exec.Cmd, error) {
			processor := freeAddress()
			file, err := write(dir, "envoy.yaml", envoyConfig(address, origin, processor))
			return []*exec.Cmd{exec.Command(o.empty, processor), envoy(o.envoy, file)}, err //nolint:gosec // programs that the operator names
		})
		add("envoy-seshat", "Envoy + Seshat's ext_proc", func(dir, address string) ([]*exec.Cmd, error) {
			processor := freeAddress()
			config, err := seshatConfig(dir, "", "", processor)
			if err != nil {
				return nil, err
			}
			file, err := write(dir, "envoy.yaml", envoyConfig(address, origin, processor))
			return []*exec.Cmd{
				exec.Command(o.seshat, "run", "--data", filepath.Join(dir, "data"), "-c", config), envoy(o.envoy, file), //nolint:gosec // programs that the operator names
			}, err
		}).settles = 1500 * time.Millisecond
	}
	return out
}

func write(dir, name, text string) (string, error) {
	file := filepath.Join(dir, name)
	return file, os.WriteFile(file, []byte(text), 0o600)
}

const nginxConfig = `daemon off; worker_processes 2; pid %[1]s/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  upstream origin { server %[3]s; keepalive 64; keepalive_requests 100000000; }
  server {
    listen %[2]s; keepalive_requests 100000000;
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`

// caddyConfig names no host: Caddy answers requests for others with 200 and nothing.
const caddyConfig = `{
	admin off
	auto_https off
	log default {
		level ERROR
	}
}
http://%s {
	bind 127.0.0.1
	reverse_proxy %s
}
`

// seshatConfig writes a configuration with ten session rules and a limit that is never reached.
func seshatConfig(dir, address, origin, processor string) (string, error) {
	resources := ""
	for i := range 9 {
		resources += fmt.Sprintf("apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: rule-%d}\nspec:\n  priority: %d\n"+
			"  identifiers: [{header: X-Session-%[1]d}]\n---\n", i, 10+i)
	}
	resources += `apiVersion: seshat/v1
kind: SessionRule
metadata: {name: shop}
spec:
  scope: {services: [shop.example]}
  identifiers: [{cookie: SHOPSESS}, {header: Authorization}]
---
apiVersion: seshat/v1
kind: Limit
metadata: {name: plenty}
spec: {key: [session], count: 10000000, window: 1m}
`
	file, err := write(dir, "resources.yaml", resources)
	if err != nil {
		return "", err
	}
	config := "api: {address: " + quoted(freeAddress()) + "}\nresources: [" + quoted(file) + "]\n"
	if processor != "" {
		config += "extProc: {address: " + quoted(processor) + "}\n"
	} else {
		config += "listen: " + quoted(address) + "\nupstreams: [{name: origin, servers: [" + quoted("http://"+origin) + "]}]\n"
	}
	return write(dir, "seshat.yaml", config)
}

func quoted(s string) string { return `"` + s + `"` }

func envoy(program, config string) *exec.Cmd {
	return exec.Command(program, "-c", config, "--concurrency", "2", "--log-level", "error", "--use-dynamic-base-id") //nolint:gosec // programs that the operator names
}

// envoyConfig is a proxy that asks an external processor about the heads of every request and response.
func envoyConfig(address, origin, processor string) string {
	host, port, _ := net.SplitHostPort(address)
	originHost, originPort, _ := net.SplitHostPort(origin)
	processorHost, processorPort, _ := net.SplitHostPort(processor)
	return fmt.Sprintf(envoyText, host, port, originHost, originPort, processorHost, processorPort)
}

const envoyText = `static_resources:
  listeners:
    - address: {socket_address: {address: %[1]s, port_value: %[2]s}}
      filter_chains:
        - filters:
            - name: http
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: in
                route_config:
                  virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: "/"}, route: {cluster: origin}}]}]
                http_filters:
                  - name: ext_proc
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
                      grpc_service: {envoy_grpc: {cluster_name: processor}, timeout: 10s}
                      message_timeout: 5s # 200 ms by itself, which a busy machine exceeds
                      processing_mode: {request_header_mode: SEND, response_header_mode: SEND}
                  - name: router
                    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
    - name: origin
      type: STATIC
      load_assignment: {cluster_name: origin, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %[3]s, port_value: %[4]s}}}}]}]}
    - name: processor
      type: STATIC
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: {http2_protocol_options: {}}
      load_assignment: {cluster_name: processor, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %[5]s, port_value: %[6]s}}}}]}]}
`
