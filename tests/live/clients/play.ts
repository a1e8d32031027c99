// A player's first game, through a client of the types that openapi-typescript generates from the OpenAPI documents.
//
// Usage: node play.js http://127.0.0.1:9999 NAME PASSWORD GUESS...        prints what the player has reached, as JSON

import createClient from "openapi-fetch";
import type * as games from "./games.js";
import type * as stats from "./stats.js";
import type * as users from "./users.js";

declare const process: { argv: string[] };
type PlayState = games.components["schemas"]["PlayState"];

const DELIVERY_TIMEOUT_MS = 30_000;
const [url = "", username = "", password = "", ...guesses] = process.argv.slice(2);
const usersClient = createClient<users.paths>({ baseUrl: `${url}/api/users` });
const gamesClient = createClient<games.paths>({ baseUrl: `${url}/api/games` });
const statsClient = createClient<stats.paths>({ baseUrl: `${url}/api/stats` });

/** The body of an answer. Throws if it is a problem, or Traefik's refusal. */
function expectBody<Body>(answer: { data?: Body; error?: unknown; response: Response }): Body {
    if (answer.data === undefined) {
        throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
    }
    return answer.data;
}

/** The id of a new player, and a token. */
async function logIn(): Promise<[string, string]> {
    const user = expectBody(await usersClient.POST("/", { body: { username, password } }));
    const token = expectBody(
        await usersClient.POST("/token", {
            body: { username, password },
            headers: { "Content-Type": "application/x-www-form-urlencoded" },
        }),
    );
    return [user.user_id, token.access_token];
}

/** Today's puzzle after the last guess, with how it went for all players. */
async function play(userId: string): Promise<PlayState> {
    const { game_id } = expectBody(await gamesClient.GET("/today"));
    const params = { path: { game_id, user_id: userId } };
    const send = async (attempt: number, guess: string): Promise<PlayState> =>
        expectBody(
            await gamesClient.POST("/{game_id}/plays/{user_id}/guesses", { params, body: { attempt, guess } }),
        );
    let state = expectBody(await gamesClient.PUT("/{game_id}/plays/{user_id}", { params, body: { hard: false } }));
    for (const [index, guess] of guesses.entries()) {
        state = await send(index + 1, guess);
    }
    const deadline = Date.now() + DELIVERY_TIMEOUT_MS;
    while (state.distribution === null) {
        // stats took longer than a second: the same guess asks again
        if (Date.now() > deadline) {
            throw new Error(`Stats did not answer within ${DELIVERY_TIMEOUT_MS} ms.`);
        }
        state = await send(guesses.length, guesses.at(-1) ?? "");
    }
    return state;
}

const [userId, token] = await logIn();
gamesClient.use({
    onRequest({ request }) {
        request.headers.set("Authorization", `Bearer ${token}`);
    },
});
const state = await play(userId);
const statistics = expectBody(
    await statsClient.GET("/users/{user_id}", { params: { path: { user_id: userId } } }),
);
const yesterday = expectBody(
    await statsClient.GET("/games/{game_id}", { params: { path: { game_id: state.game_id - 1 } } }),
);
const params = { query: { limit: 3, around: userId } };
const wins = expectBody(await statsClient.GET("/leaders/wins", { params }));
const streaks = expectBody(await statsClient.GET("/leaders/streaks", { params }));
const reached = {
    is_won: state.status === "won",
    answer: state.answer,
    won_in_3: statistics.guesses[3],
    is_counted: (state.distribution?.guesses[3] ?? 0) > 0,
    yesterday: yesterday.game_id - state.game_id,
    wins: wins.leaders.filter((row) => row.user_id === userId).map((row) => row.wins),
    streaks: streaks.leaders.filter((row) => row.user_id === userId).map((row) => row.streak),
};
console.log(JSON.stringify(reached));
