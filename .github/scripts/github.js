/** GitHub's REST API, as the jobs of a workflow are given it. */

/**
 * @param {"GET" | "POST" | "PATCH"} method
 * @param {string} path below the repository, for example "/issues?state=open"
 * @param {object} [body]
 * @returns {Promise<any>} what GitHub answers
 * @throws what GitHub said where it refuses
 */
export async function github(method, path, body) {
  const { GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN } = process.env;
  const response = await fetch(`${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}${path}`, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${GITHUB_TOKEN}`,
      "content-type": "application/json",
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`GitHub answers ${response.status} to ${method} ${path}: ${text}`);
  return JSON.parse(text);
}

/** GitHub gives at most this many at once. */
const PAGE = 100;

/**
 * Everything that a listing has, page by page.
 * @param {string} path with or without a query
 * @returns {AsyncGenerator<any>}
 */
export async function* list(path) {
  for (let page = 1; ; page++) {
    const items = await github("GET", `${path}${path.includes("?") ? "&" : "?"}per_page=${PAGE}&page=${page}`);
    yield* items;
    if (items.length < PAGE) return;
  }
}

/** Whom the token of a workflow writes as. A text of somebody else that looks like ours is left alone. */
export const SELF = "github-actions[bot]";
