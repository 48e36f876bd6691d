//! The recorder's window: a thin shell around `recorder-core`.
//!
//! The page asks through [`commands`] and hears the news of [`view::news`]. Takes and uploads run on threads of their
//! own. A window that is closed during a take waits until the take is whole.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod config;
mod desk;
mod record;
mod send;
mod server;
mod shelf;
mod trouble;
mod view;

use std::error::Error;
use std::sync::Arc;

use tauri::{App, Manager, Window, WindowEvent};

use crate::config::Config;
use crate::desk::Desk;

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .setup(set_up)
        .on_window_event(close_when_whole)
        .invoke_handler(tauri::generate_handler![
            commands::standing,
            commands::read_invite,
            commands::read_typed_invite,
            commands::consent,
            commands::join,
            commands::my_consent,
            commands::consent_in_force,
            commands::agree,
            commands::withdraw,
            commands::erase,
            commands::save_my_data,
            commands::goals,
            commands::claim,
            commands::devices,
            commands::start,
            commands::stop,
            commands::preflight,
            commands::listen,
            commands::toggle_pause,
            commands::cut,
            commands::discard,
            commands::choose,
            commands::queue,
            commands::submit,
            commands::send_first,
            commands::leave_queue,
            commands::pause_sending,
            commands::go_on_sending,
            commands::submissions,
        ])
        .run(tauri::generate_context!())
}

fn set_up(app: &mut App) -> Result<(), Box<dyn Error>> {
    let config = Config::read();
    let data = config.data.clone().map_or_else(|| app.path().app_data_dir(), Ok)?;
    let handle = app.handle().clone();
    app.manage(Arc::new(Desk::open(config, data, move || handle.exit(0))?));
    Ok(())
}

fn close_when_whole(window: &Window, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event
        && let Some(desk) = window.try_state::<Arc<Desk>>()
        && !desk.may_close()
    {
        api.prevent_close();
    }
}
