import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { createAccount, createUser } from "nkeys.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explainFailure } from "../../src/connect/failure.ts";
import { realModel } from "../support/definitions.ts";
import { handshakeError } from "../support/handshake.ts";
import { operatorMode } from "../support/jwt.ts";
import { Cluster, type ClusterOptions, issueCertificates } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { circl, temporaryFolder } from "./circl.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const file = (name: string, text: string): string => {
  writeFileSync(join(folder.path, name), text);
  return join(folder.path, name);
};
const seedOf = (pair: ReturnType<typeof createUser>): string => new TextDecoder().decode(pair.getSeed());
const addressOf = ({ servers: [server] }: Cluster): string => `127.0.0.1:${server?.clientPort}`;

/** The exit code, and the first line of what is said. */
async function planned(environment: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { code, stderr } = await circl(["plan", environment, "--timeout", "5000", ...args], { env });
  return { code, says: stderr.split("\n")[0] ?? "" };
}
const REFUSED = "error: connecting: the server does not accept these credentials. ";

describe("files of credentials", () => {
  const SEED = 'holds no seed of an NKey user: one line that begins with "SU"';
  const CREDS = "holds no credentials of a JWT user: a JWT and a seed, each between lines of dashes";
  const { creds } = operatorMode();
  test.each<[string, string, string]>([
    ["--nkey", file("short.nk", "SUAGARBLED"), SEED],
    ["--nkey", file("account.nk", seedOf(createAccount())), SEED],
    ["--nkey", folder.path, "cannot be read"],
    ["--creds", file("empty.creds", ""), CREDS],
    ["--creds", file("cut.creds", creds.slice(0, creds.indexOf("-----BEGIN USER"))), CREDS],
    ["--creds", file("garbled.creds", creds.replace(/\nSU\w/, "\nSU")), CREDS],
    ["--creds", folder.path, "cannot be read"],
    ["--tls-ca", file("no.pem", "no certificate"), "holds no certificate (PEM)"],
    ["--password-file", folder.path, "cannot be read"],
    ["--token-file", folder.path, "cannot be read"],
  ])("%s %s is refused by its name before anybody is dialled", async (option, path, says) => {
    expect(await planned("local", ["--server", "127.0.0.1:1", option, path])).toEqual({
      code: 64,
      says: `error: ${path} ${says}`,
    });
  });

  test("that are wrong are all said at once, and nothing of what is in them", async () => {
    const args = ["--nkey", file("a.nk", "SUSECRET"), "--tls-ca", join(folder.path, "none.pem")];
    const { stderr } = await circl(["plan", "local", "--server", "127.0.0.1:1", ...args]);
    expect(stderr).toContain(
      `${join(folder.path, "a.nk")} ${SEED}; there is no file ${join(folder.path, "none.pem")}\n`,
    );
    expect(stderr).not.toContain("SUSECRET");
  });
});

describe.skipIf(without("nats-server"))("a server without TLS lets in", () => {
  const user = createUser();
  const { auth, creds } = operatorMode();
  const account = (login: string) =>
    `accounts { SYS {}, CIRCL { jetstream: enabled, users: [ ${login} ] } }\nSYSTEM_ACCOUNT: SYS\n`;
  test.each<[string, string, string, string]>([
    ["--creds", auth, creds, operatorMode().creds],
    ["--nkey", account(`{ nkey: ${user.getPublicKey()} }`), `${seedOf(user)}\n`, seedOf(createUser())],
    [
      "--token-file",
      "accounts { SYS {} }\nauthorization { token: loopback-only }\nSYSTEM_ACCOUNT: SYS\n",
      "loopback-only\n",
      "another",
    ],
    ["--password-file", account("{ user: sync, password: loopback-only }"), "loopback-only\n", "another"],
  ])("who has the right %s, and says so to others", async (option, allows, right, wrong) => {
    await using cluster = await Cluster.start(realModel("local"), { auth: allows });
    const args = ["--server", addressOf(cluster), ...(option === "--password-file" ? ["--user", "sync"] : []), option];
    expect(await planned("local", [...args, file("right", right)])).toEqual({ code: 0, says: "" });
    const refused = await planned("local", [...args, file("wrong", wrong)]);
    expect(refused).toEqual({ code: 1, says: expect.stringContaining(REFUSED) });
    const nobody = await planned("local", ["--server", addressOf(cluster)]);
    expect(nobody).toEqual({ code: 1, says: expect.stringContaining(REFUSED) });
  });
});

describe.skipIf(without("nats-server", "test-ca"))("a server with TLS", () => {
  const CLIENT = { dnsNames: [], usages: ["client auth"] };
  const foreign = join(folder.path, "foreign");
  const login = { CIRCL_USER: "sync", CIRCL_PASSWORD: "loopback-only" };
  let cluster: Cluster;
  beforeAll(async () => {
    await issueCertificates(foreign, { client: CLIENT });
    const model = realModel("staging");
    const { nats } = model.environment;
    const clients = { ...nats.clients, certificates: true };
    const options: ClusterOptions = { certificates: { client: CLIENT } };
    cluster = await Cluster.start(
      { ...model, environment: { ...model.environment, nats: { ...nats, clients } } },
      options,
    );
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());
  const pem = (from: string, name: string) => join(from, name);
  const own = () => join(cluster.root, "tls/client");
  const enter = (...args: readonly string[]) => planned("staging", ["--server", addressOf(cluster), ...args], login);

  test("lets in who has a certificate of its authority", async () => {
    const ca = ["--tls-ca", cluster.target().tls?.ca ?? ""];
    const certificate = (from: string) => ["--tls-cert", pem(from, "tls.crt"), "--tls-key", pem(from, "tls.key")];
    expect(await enter(...ca, ...certificate(own()))).toEqual({ code: 0, says: "" });
    const others = await enter(...ca, ...certificate(pem(foreign, "client")));
    const none = await enter(...ca);
    for (const { code, says } of [others, none]) {
      expect(code).toBe(1);
      expect(says).toMatch(/[Cc]heck --tls-cert and --tls-key/);
    }
  });

  test("is not trusted by who has another authority, or none, and that is said", async () => {
    const says =
      /^error: connecting: .*(certificate|signature).* Check --tls-ca: it is the authority of the servers' certificates/;
    for (const args of [[], ["--tls-ca", pem(foreign, "client/ca.crt")]]) {
      expect(await enter(...args)).toEqual({ code: 1, says: expect.stringMatching(says) });
    }
  });

  test("is no fault of ours either when the client meets it as it connects anew", async () => {
    const error = await handshakeError(cluster.servers[0]?.clientPort ?? 0, {});
    expect(error).toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
    expect(explainFailure(error, "STREAM.LIST", "here").message).toMatch(
      /^STREAM\.LIST: unable to verify .* Check --tls-ca: /,
    );
  });

  test("gets no key that belongs to another certificate", async () => {
    const [cert, key] = [pem(own(), "tls.crt"), pem(foreign, "client/tls.key")];
    expect(await enter("--tls-cert", cert, "--tls-key", key)).toEqual({
      code: 64,
      says: `error: ${key} is not the key of ${cert}`,
    });
    expect(await enter("--tls-cert", key, "--tls-key", cert)).toEqual({
      code: 64,
      says: `error: ${key} holds no certificate (PEM); ${cert} holds no private key without a passphrase (PEM)`,
    });
  });
});

describe.skipIf(without("nats-server"))("where no server of NATS is", () => {
  test.each([
    ["nats.nowhere.invalid:4222", "there is no host of the name in nats.nowhere.invalid:4222. Check --server"],
    ["127.0.0.1:1", "nobody listens at 127.0.0.1:1. Check --server"],
  ])("%s", async (server, says) => {
    const { code, says: said } = await planned("local", ["--server", server]);
    expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining(`error: connecting: ${says}`) });
  });

  test("but something else listens", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((done) => other.once("listening", done));
    const { port } = other.address() as { port: number };
    try {
      const { code, says } = await planned("local", ["--server", `127.0.0.1:${port}`, "--timeout", "1000"]);
      expect({ code, says }).toEqual({ code: 1, says: expect.stringContaining("is this its client port?") });
    } finally {
      other.close();
    }
  });

  test("TLS is asked of a server that has none", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const certificates = join(folder.path, "own");
    await issueCertificates(certificates, { client: { dnsNames: [], usages: ["client auth"] } });
    const args = ["--server", addressOf(cluster), "--tls-ca", join(certificates, "client/ca.crt")];
    const { code, says } = await planned("local", args);
    expect({ code, says }).toEqual({ code: 1, says: expect.stringContaining("speaks no TLS. Leave out --tls-ca") });
  });
});
