//! The tuning file `assets/arena/combat.toml`.

use core_arena::EnemyKind;
use playground_api::prelude::*;

/// The behaviour of enemies and bullets.
#[own_identity]
#[derive(Resource, Deserialize, Clone, Debug)]
#[serde(default)]
pub struct CombatTuning {
    /// Small and fast, in large numbers.
    pub swarmer: EnemyTuning,
    /// Keeps its distance and shoots.
    pub gunner: EnemyTuning,
    /// Slow and tough.
    pub brute: EnemyTuning,
    /// Lifetime of a bullet, in seconds.
    pub bullet_life_s: f32,
    /// Distance of gunners from the player, in world units.
    pub gunner_distance: f32,
    /// Seconds between shots of a gunner.
    pub gunner_interval_s: f32,
    /// Speed of a gunner's bullets, in world units per second.
    pub gunner_bullet_speed: f32,
    /// Damage of a gunner's bullet, in health points.
    pub gunner_damage: i32,
    /// Seconds between two hits by touch of the same enemy.
    pub contact_interval_s: f32,
    /// Seconds within which the next kill raises the combo.
    pub combo_s: f32,
    /// The highest combo.
    pub max_combo: u32,
    /// Seconds between two waves.
    pub wave_pause_s: f32,
    /// Seconds between two groups of a wave.
    pub group_interval_s: f32,
    /// Enemies in a group.
    pub group_size: u32,
    /// Increase of the enemies' speed per wave, as a fraction of the first wave's speed.
    pub speed_up: f32,
    /// Health points that the player regains per wave.
    pub heal: i32,
}

/// The properties of one kind of enemy.
#[own_identity]
#[derive(Deserialize, Clone, Copy, Debug)]
#[serde(default)]
pub struct EnemyTuning {
    /// Health points.
    pub health: i32,
    /// Top speed in world units per second.
    pub speed: f32,
    /// Maximum acceleration, in world units per second squared.
    pub force: f32,
    /// Half its length, in world units.
    pub size: f32,
    /// Score for shooting it, in points.
    pub points: u32,
    /// Damage of its touch, in health points.
    pub contact_damage: i32,
    /// Weight of pursuing the player, relative to staying with the flock.
    pub hunger: f32,
}

impl CombatTuning {
    pub fn enemy(&self, kind: EnemyKind) -> &EnemyTuning {
        match kind {
            EnemyKind::Swarmer => &self.swarmer,
            EnemyKind::Gunner => &self.gunner,
            EnemyKind::Brute => &self.brute,
        }
    }
}

impl Default for EnemyTuning {
    fn default() -> Self {
        Self {
            health: 20,
            speed: 190.0,
            force: 520.0,
            size: 10.0,
            points: 10,
            contact_damage: 10,
            hunger: 0.9,
        }
    }
}

impl Default for CombatTuning {
    fn default() -> Self {
        Self {
            swarmer: EnemyTuning::default(),
            gunner: EnemyTuning {
                health: 40,
                speed: 130.0,
                force: 360.0,
                size: 13.0,
                points: 25,
                contact_damage: 6,
                hunger: 1.2,
            },
            brute: EnemyTuning {
                health: 160,
                speed: 85.0,
                force: 220.0,
                size: 24.0,
                points: 60,
                contact_damage: 22,
                hunger: 1.4,
            },
            bullet_life_s: 1.6,
            gunner_distance: 300.0,
            gunner_interval_s: 1.4,
            gunner_bullet_speed: 360.0,
            gunner_damage: 12,
            contact_interval_s: 0.7,
            combo_s: 1.6,
            max_combo: 8,
            wave_pause_s: 2.0,
            group_interval_s: 0.9,
            group_size: 8,
            speed_up: 0.05,
            heal: 15,
        }
    }
}
