// SPDX-License-Identifier: MIT
// certificates.mjs - a private CA made for one test, and certificates of it for this machine, by openssl.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const openssl = (...args) => promisify(execFile)("openssl", args.map(String));
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

class Certificates {
  constructor() {
    this.dir = mkdtempSync(path.join(tmpdir(), "parlor-ca-"));
    this.cert = path.join(this.dir, "cert.pem");
    this.key = path.join(this.dir, "key.pem");
  }

  async makeAuthority() {
    this.caFile = path.join(this.dir, "ca.pem");
    await openssl("req", "-x509", ...NEW_KEY, "-days", 30, "-subj", "/CN=a test's CA",
      "-keyout", path.join(this.dir, "ca.key"), "-out", this.caFile);
    this.ca = readFileSync(this.caFile);
  }

  /** Makes `cert` and `key` anew; both are there at once for whoever reads them. Returns the serial number. */
  async renew({ days = 30 } = {}) {
    const next = (name) => path.join(this.dir, `next-${name}`);
    writeFileSync(next("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    await openssl("req", "-new", ...NEW_KEY, "-subj", "/CN=localhost", "-keyout", next("key"), "-out", next("csr"));
    await openssl("x509", "-req", "-in", next("csr"), "-CA", this.caFile, "-CAkey", path.join(this.dir, "ca.key"),
      "-CAcreateserial", "-days", days, "-extfile", next("ext"), "-out", next("cert"));
    renameSync(next("cert"), this.cert);
    renameSync(next("key"), this.key);
    const { stdout } = await openssl("x509", "-in", this.cert, "-noout", "-serial");
    return stdout.trim().replace("serial=", "");
  }

  remove() {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** { cert, key, caFile: paths; ca: the CA's certificate; renew() } */
export async function makeCertificates(options) {
  const made = new Certificates();
  await made.makeAuthority();
  made.serial = await made.renew(options);
  return made;
}
