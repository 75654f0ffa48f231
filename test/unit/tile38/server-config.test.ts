import { describe, expect, test } from "vitest";
import { followerConfig, leaderConfig, SERVER_ARGUMENTS } from "../../../src/tile38/server-config.ts";
import { modelWith, realModel } from "../../support/definitions.ts";

describe("the document of the leader", () => {
  test("is a password in both directions, a name and a limit as text", () => {
    expect(leaderConfig(realModel("production"), "s3cret")).toEqual({
      requirepass: "s3cret",
      leaderauth: "s3cret",
      server_id: "circl-production-tile38-leader",
      maxmemory: "1503238553",
    });
  });

  test("limits the heap to 70 % of its memory", () => {
    const model = modelWith({ environment: { tile38: { leader: { memory: "10GiB" } } } });
    expect(leaderConfig(model, "s3cret").maxmemory).toBe("7516192768");
  });
});

test("the document of followers names their leader, with no limit and no name of their own", () => {
  expect(followerConfig(realModel("staging"), "s3cret")).toEqual({
    requirepass: "s3cret",
    leaderauth: "s3cret",
    follow_host: "tile38.circl-backbone.svc.cluster.local",
    follow_port: 9851,
  });
});

describe("a password", () => {
  test.each(["secret\n", " secret", "two words", 'quo"te', "back\\slash", "gehéim", ""])(
    "%j is refused, and not repeated in the message",
    (password) => {
      for (const document of [leaderConfig, followerConfig]) {
        expect(() => document(realModel("production"), password)).toThrow(RangeError);
        if (password) expect(() => document(realModel("production"), password)).not.toThrow(password);
      }
    },
  );

  test("may hold every other printable character", () => {
    const password = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
      .join("")
      .replace(/["\\]/g, "");
    expect(password).toHaveLength(92);
    expect(leaderConfig(realModel("production"), password).requirepass).toBe(password);
  });
});

test("the command line is the same for all servers and holds no password", () => {
  expect(SERVER_ARGUMENTS.join(" ")).toBe(
    "-p 9851 -d /run/tile38 --appendfilename /data/appendonly.aof --queuefilename /data/queue.db --metrics-addr :4321 -l json",
  );
});
