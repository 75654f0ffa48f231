/** How the kubectl of a job logs in: with the real one, and a gcloud that has one token. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { root, temporaryFolder } from "../cli/circl.ts";
import { tool, without } from "../support/tools.ts";

const run = promisify(execFile);

describe.skipIf(without("kubectl"))(".ci/login", () => {
  test("lets kubectl send the token that gcloud has now, instead of the one that it was given", async () => {
    using folder = temporaryFolder();
    const seen: (string | undefined)[] = [];
    const [key, cert] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
    // kubectl sends no login over plain HTTP.
    const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const pair = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert];
    await run("openssl", ["req", "-x509", "-days", "1", ...pair, ...names]);
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      seen.push(request.headers.authorization);
      response.setHeader("content-type", "application/json").end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const kubeconfig = join(folder.path, "kubeconfig");
    // As get-gke-credentials writes it.
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          { name: "staging", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": cert } },
        ],
        contexts: [{ name: "gke-staging", context: { cluster: "staging", user: "staging" } }],
        "current-context": "gke-staging",
        users: [{ name: "staging", user: { token: "for-an-hour" } }],
      }),
    );
    const bin = join(folder.path, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "gcloud"), '#!/bin/sh\n[ "$*" = "auth print-access-token" ] && echo of-now\n');
    chmodSync(join(bin, "gcloud"), 0o755);
    const PATH = [dirname(tool("kubectl")), bin, process.env.PATH].join(delimiter);
    const env = { ...process.env, PATH, KUBECONFIG: kubeconfig };
    const ask = () => run("kubectl", ["--context", "gke-staging", "get", "--raw", "/version"], { env });
    try {
      await ask();
      await run(join(root, ".ci/login"), ["gke-staging"], { env });
      await ask();
    } finally {
      server.close();
    }
    expect(seen).toEqual(["Bearer for-an-hour", "Bearer of-now"]);
    expect(readFileSync(kubeconfig, "utf8")).not.toContain("of-now");
  });
});
