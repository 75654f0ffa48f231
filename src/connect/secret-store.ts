/** GCP Secret Manager, through gcloud. */
import { spawn } from "node:child_process";
import { type SecretStore, StoreFailure } from "../identity/store.ts";

/** Secret Manager of a project, with the login that gcloud has. Payloads go by stdin and stdout, never as an argument. */
export function gcpSecretManager(project: string): SecretStore {
  const title = `GCP Secret Manager of ${project}`;
  const gcloud = (args: readonly string[], doing: string, input?: string) =>
    runGcloud(["secrets", ...args, `--project=${project}`, "--quiet"], `${title}: ${doing}`, input);
  const add = (id: string, text: string) =>
    gcloud(["versions", "add", id, "--data-file=-"], `writing ${id}`, text).then(({ found }) => found);
  const create = (id: string, text: string) =>
    gcloud(["create", id, "--replication-policy=automatic", "--data-file=-"], `creating ${id}`, text).then(
      ({ found }) => found,
    );
  // Where a look found nothing a create comes first: half the processes, and each takes a second.
  const missing = new Set<string>();
  return {
    title,
    read: async (id) => {
      const answer = await gcloud(["versions", "access", "latest", `--secret=${id}`], `reading ${id}`);
      if (!answer.found) missing.add(id);
      return ifThere(answer);
    },
    write: async (id, text) => {
      // Cut off after its create, a secret has no version: it counts as missing, and is there.
      const [first, second] = missing.has(id) ? [create, add] : [add, create];
      if ((await first(id, text)) || (await second(id, text))) return;
      throw new StoreFailure(
        `${title}: creating ${id}: there is no such project. Check secrets.project in environments/.`,
      );
    },
    writtenAt: async (id) => {
      const made = await gcloud(
        ["versions", "describe", "latest", `--secret=${id}`, "--format=value(createTime)"],
        `reading ${id}`,
      );
      const text = ifThere(made)?.trim();
      return text ? new Date(text) : undefined;
    },
  };
}

interface Answer {
  /** False where the secret, or a version of it, does not exist; of a create where it does. */
  readonly found: boolean;
  readonly text: string;
}

const ifThere = ({ found, text }: Answer): string | undefined => (found ? text : undefined);

/** What gcloud writes to stderr, and what to do about it. The first that fits is said. */
const REASONS: readonly (readonly [RegExp, string, string])[] = [
  [
    /active account|gcloud auth login|Reauthentication|invalid_grant|application-default login|UNAUTHENTICATED/i,
    "gcloud is not logged in",
    "Run `gcloud auth login`, or in a pipeline let Workload Identity Federation log in.",
  ],
  [
    /has not been used in project|SERVICE_DISABLED|it is disabled/i,
    "the API is off in this project",
    "Run `gcloud services enable secretmanager.googleapis.com`.",
  ],
  [
    /CONSUMER_INVALID|Project .* (not found|deleted)|valid project ID|USER_PROJECT_DENIED/i,
    "there is no such project",
    "Check secrets.project in environments/.",
  ],
  [
    /PERMISSION_DENIED|does not have permission|403/i,
    "not allowed",
    "Reading takes roles/secretmanager.secretAccessor and viewer, writing secretmanager.secretVersionAdder and, for a first version, " +
      "secretmanager.admin; a project that does not exist is reported the same way.",
  ],
  [
    /ConnectionError|Max retries|Failed to (resolve|establish)|ServerNotFoundError|UNAVAILABLE|timed? ?out|transport|DEADLINE/i,
    "it cannot be reached",
    "Check the network and HTTPS_PROXY, then run the same command again.",
  ],
];

const OTHERWISE = /NOT_FOUND|not found|ALREADY_EXISTS|already exists/i;

/**
 * Runs gcloud. Its own logs stay off: one of its debugging switches writes payloads to a file.
 * @throws StoreFailure for anything but success and a secret that is not there
 */
function runGcloud(args: readonly string[], doing: string, input?: string): Promise<Answer> {
  const env = {
    ...process.env,
    CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
    CLOUDSDK_CORE_DISABLE_FILE_LOGGING: "1",
    CLOUDSDK_CORE_LOG_HTTP: "0",
  };
  return new Promise((done, fail) => {
    const gcloud = spawn("gcloud", args, { env, stdio: ["pipe", "pipe", "pipe"] });
    let text = "";
    let said = "";
    gcloud.once("error", (cause) =>
      fail(
        new StoreFailure(
          `${doing}: gcloud cannot be started (${cause.message}). Install the Google Cloud CLI, or give --store DIR.`,
          { cause },
        ),
      ),
    );
    gcloud.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    gcloud.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    // It may end before it reads: what it says then is the reason.
    gcloud.stdin.on("error", () => {});
    gcloud.stdin.end(input ?? "");
    gcloud.once("close", (code) => {
      if (code === 0) return done({ found: true, text });
      const [, what, next] = REASONS.find(([pattern]) => pattern.test(said)) ?? [];
      if (what === undefined && OTHERWISE.test(said)) return done({ found: false, text: "" });
      const reason = what ?? (said.trim().split("\n")[0] || `gcloud ended with ${code}`);
      fail(new StoreFailure(`${doing}: ${reason}. ${next ?? "Run the same command again once that is mended."}`));
    });
  });
}
