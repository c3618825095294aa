// SPDX-License-Identifier: MIT
// proxies.mjs - how each proxy is told to spread requests over the gateways, one after the other, as its manual says it
// first: connections are kept alive, nothing is sticky, and nothing knows what a sid is.
//
// Not here: what is tried through them (main.mjs).

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

const each = (ports, line) => ports.map(line).join("\n");

function haproxy(dir, port, gateways) {
  const file = path.join(dir, "haproxy.cfg");
  writeFileSync(file, `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend chat
  bind 127.0.0.1:${port}
  default_backend gateways
backend gateways
  balance roundrobin
${each(gateways, (to, i) => `  server gateway${i} 127.0.0.1:${to}`)}
`);
  return ["-db", "-f", file];
}

function caddy(dir, port, gateways) {
  const file = path.join(dir, "Caddyfile");
  writeFileSync(file, `
{
  admin off
  auto_https off
}
:${port} {
  reverse_proxy ${gateways.map((to) => `127.0.0.1:${to}`).join(" ")} {
    lb_policy round_robin
  }
}
`);
  return ["run", "--config", file, "--adapter", "caddyfile"];
}

function nginx(dir, port, gateways) {
  const file = path.join(dir, "nginx.conf");
  writeFileSync(file, `
daemon off;
master_process off;
pid ${dir}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  upstream gateways {
${each(gateways, (to) => `    server 127.0.0.1:${to};`)}
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }
  }
}
`);
  return ["-p", dir, "-c", file, "-e", "stderr"];
}

function apache(dir, port, gateways) {
  const file = path.join(dir, "apache.conf");
  const modules = ["mpm_event", "authz_core", "slotmem_shm", "proxy", "proxy_http", "proxy_balancer", "lbmethod_byrequests"];
  writeFileSync(file, `
ServerRoot ${dir}
ServerName 127.0.0.1
DefaultRuntimeDir ${dir}
PidFile ${dir}/apache.pid
ErrorLog ${dir}/error.log
User www-data
Group www-data
${each(modules, (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)}
Listen 127.0.0.1:${port}
KeepAlive On
<Proxy balancer://gateways>
${each(gateways, (to) => `  BalancerMember http://127.0.0.1:${to}`)}
</Proxy>
ProxyPreserveHost On
ProxyPass / balancer://gateways/
`);
  return ["-D", "FOREGROUND", "-f", file];
}

function varnish(dir, port, gateways) {
  const file = path.join(dir, "chat.vcl");
  writeFileSync(file, `
vcl 4.1;
import directors;
${each(gateways, (to, i) => `backend gateway${i} { .host = "127.0.0.1"; .port = "${to}"; }`)}
sub vcl_init {
  new gateways = directors.round_robin();
${each(gateways, (to, i) => `  gateways.add_backend(gateway${i});`)}
}
sub vcl_recv {
  set req.backend_hint = gateways.backend();
  if (req.url ~ "^/socket.io/") {
    return (pass);
  }
}
`);
  mkdirSync(path.join(dir, "varnish"));
  return ["-F", "-j", "none", "-a", `127.0.0.1:${port}`, "-f", file, "-n", path.join(dir, "varnish"), "-s", "malloc,16m"];
}

export const PROGRAMS = {
  haproxy: "/usr/sbin/haproxy", caddy: "/usr/bin/caddy", nginx: "/usr/sbin/nginx", apache: "/usr/sbin/apache2", varnish: "/usr/sbin/varnishd",
};

/** Each: writes its configuration into `dir` and returns the options with which its program listens on `port`. */
export const PROXIES = { haproxy, caddy, nginx, apache, varnish };
