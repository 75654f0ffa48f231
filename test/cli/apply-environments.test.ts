import { describe, expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { circl } from "./circl.ts";

describe.skipIf(without("nats-server", "test-ca"))("circl apply with the files of this repository", () => {
  test.each([
    ["local", 1, "standalone circl-local-nats-0"],
    ["staging", 3, "cluster circl-staging"],
    ["production", 3, "cluster circl-production"],
  ] as const)("%s: creates everything on %i, and a second run has nothing to do", async (name, servers, where) => {
    await using cluster = await Cluster.start(realModel(name));
    expect(cluster.servers).toHaveLength(servers);
    const { servers: urls, user = "", password = "", tls } = cluster.target();
    const env = {
      CIRCL_SERVER: urls.join(","),
      CIRCL_USER: user,
      CIRCL_PASSWORD: password,
      ...(tls?.ca ? { CIRCL_TLS_CA: tls.ca } : {}),
    };
    const first = await circl(["apply", name, "--auto-approve"], { env });
    expect(first.stderr).toMatch(/17\/17 created /);
    expect(first.stdout).toContain(`${name}: ${where}`);
    expect(first.stdout).toMatch(/\nApply complete: 17 done, 0 failed, 0 not started\.\n$/);
    expect(first.code).toBe(0);

    const second = await circl(["apply", name, "--auto-approve"], { env });
    expect(second.stdout).toMatch(/\nNo changes\. 17 unchanged\.\n$/);
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: "" });
    expect((await circl(["plan", name, "--detailed-exitcode"], { env })).code).toBe(0);
    // The servers go on writing (their record of changes, the lock): a replica that is an entry behind is none that lags.
    expect((await circl(["status", name], { env })).code).toBe(0);
  });
});
