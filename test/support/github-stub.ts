/** As much of GitHub's REST API as the scripts of the workflows use, on loopback. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { root, runNode } from "../cli/circl.ts";

export interface Text {
  readonly id: number;
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: string;
  readonly user: { readonly login: string };
}
export interface PullRequest {
  readonly number: number;
  readonly head: { readonly sha: string; readonly label: string };
}

export interface GitHubStub extends AsyncDisposable {
  readonly issues: Text[];
  readonly comments: Text[];
  /** Method and path of everything that was asked, in order. */
  readonly asked: string[];
  /** Runs a script of .github/scripts. */
  run(script: string, args: readonly string[], env?: Readonly<Record<string, string>>): ReturnType<typeof runNode>;
}

const bot = { login: "github-actions[bot]" };

/** Starts it with what is there already. Everything but the right token is refused. */
export async function startGitHub(
  there: { pulls?: PullRequest[]; issues?: Text[]; comments?: Text[] } = {},
): Promise<GitHubStub> {
  const { pulls = [], issues = [], comments = [] } = there;
  const asked: string[] = [];
  const handle = (method: string, url: URL, body: Partial<Text>): unknown => {
    const path = url.pathname.replace(/^\/repos\/circl\/backbone/, "");
    const number = Number(/\d+/.exec(path)?.[0]);
    const page = <T>(items: readonly T[]): T[] => {
      const size = Number(url.searchParams.get("per_page"));
      const first = (Number(url.searchParams.get("page")) - 1) * size;
      return items.slice(first, first + size);
    };
    const add = (list: Text[]): Text => {
      const made = { id: 1000 + list.length, number: 1 + list.length, title: "", body: "", state: "open", user: bot };
      list.push({ ...made, ...body });
      return made;
    };
    const change = (list: Text[], at: number): unknown => (list[at] ? Object.assign(list[at], body) : undefined);
    if (method === "GET" && path === "/pulls")
      return page(pulls.filter(({ head }) => head.label === url.searchParams.get("head")));
    if (method === "GET" && path === "/issues") {
      const creator = url.searchParams.get("creator");
      return page(issues.filter(({ state, user }) => state === "open" && user.login === creator));
    }
    if (method === "POST" && path === "/issues") return add(issues);
    if (method === "GET" && path.endsWith("/comments")) return page(comments);
    if (method === "POST" && path.endsWith("/comments")) return add(comments);
    if (path.startsWith("/issues/comments/"))
      return change(
        comments,
        comments.findIndex(({ id }) => id === number),
      );
    return change(
      issues,
      issues.findIndex((issue) => issue.number === number),
    );
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://stub");
    asked.push(`${request.method} ${url.pathname.replace("/repos/circl/backbone", "")}`);
    const body = await read(request);
    const allowed = request.headers.authorization === "Bearer of-the-run";
    const answer = allowed ? handle(request.method ?? "", url, body) : undefined;
    response.writeHead(answer === undefined ? (allowed ? 404 : 401) : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { message: allowed ? "Not Found" : "Bad credentials" }));
  });
  await new Promise<void>((started) => server.listen(0, "127.0.0.1", started));
  const { port } = server.address() as AddressInfo;
  return {
    issues,
    comments,
    asked,
    run: (script, args, env = {}) =>
      runNode([`${root}.github/scripts/${script}`, ...args], {
        env: {
          GITHUB_API_URL: `http://127.0.0.1:${port}`,
          GITHUB_REPOSITORY: "circl/backbone",
          GITHUB_TOKEN: "of-the-run",
          GITHUB_SERVER_URL: "https://github.example",
          GITHUB_RUN_ID: "77",
          ...env,
        },
      }),
    [Symbol.asyncDispose]: () => new Promise((closed) => server.close(() => closed())),
  };
}

async function read(request: IncomingMessage): Promise<Partial<Text>> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? {} : JSON.parse(text);
}
