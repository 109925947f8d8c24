//! Starts and ends games.

use core_arena::{Enemy, GameState, NewGame, Player, PlayerIntent, Score};
use core_physics::{Bounds, Edge, GameRng, Lure, StableIds};
use playground_api::prelude::*;

use crate::ship::{ShipTuning, ship};

/// The arena's size, in world units.
const SIZE: Vec2 = Vec2::new(1600.0, 900.0);

/// Sets the world's bounds, and starts a game if there is none, i.e. not after a swap.
pub fn enter(
    mut commands: Commands,
    options: Res<RunOptions>,
    tuning: Res<ShipTuning>,
    players: Query<(), With<Player>>,
    enemies: Query<(), With<Enemy>>,
    state: Res<State<GameState>>,
    mut next: ResMut<NextState<GameState>>,
    mut bounds: ResMut<Bounds>,
    mut lure: ResMut<Lure>,
    mut rng: ResMut<GameRng>,
    mut ids: ResMut<StableIds>,
    mut score: ResMut<Score>,
    mut games: MessageWriter<NewGame>,
) {
    bounds.set_if_neq(Bounds { half_size: SIZE * 0.5, edge: Edge::Wall });
    lure.set_if_neq(Lure::default());
    let is_over = *state.get() == GameState::GameOver && !enemies.is_empty();
    if is_over || !players.is_empty() {
        return;
    }
    rng.reseed(options.seed);
    score.begin();
    next.set(GameState::Playing);
    games.write(NewGame);
    commands.spawn(ship(&tuning, ids.next_id()));
}

/// Ends the game when the ship was destroyed.
pub fn end(
    time: Res<Time>,
    players: Query<(), With<Player>>,
    state: Res<State<GameState>>,
    mut next: ResMut<NextState<GameState>>,
    mut score: ResMut<Score>,
) {
    match state.get() {
        GameState::Playing if players.is_empty() => next.set(GameState::GameOver),
        GameState::Playing => {}
        GameState::GameOver => score.over_for_s += time.delta_secs(),
    }
}

/// Starts a new game when the old one is over and the player asks for it.
pub fn restart(
    mut commands: Commands,
    tuning: Res<ShipTuning>,
    state: Res<State<GameState>>,
    mut next: ResMut<NextState<GameState>>,
    mut intent: ResMut<PlayerIntent>,
    mut ids: ResMut<StableIds>,
    mut score: ResMut<Score>,
    mut games: MessageWriter<NewGame>,
    players: Query<(), With<Player>>,
) {
    let restart = std::mem::take(&mut intent.restart);
    if restart && *state.get() == GameState::GameOver && players.is_empty() {
        score.begin();
        next.set(GameState::Playing);
        games.write(NewGame);
        commands.spawn(ship(&tuning, ids.next_id()));
    }
}
