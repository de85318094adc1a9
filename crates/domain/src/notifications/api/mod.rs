//! The operations of notifications.

mod channels;
mod deliveries;
mod people;
mod rules;

pub use people::no_such_link;

use crate::Mount;
use bailiwick_contract::notifications::{
    ChangeChannel, ChangeNotificationRule, CreateChannel, CreateNotificationRule, GetChannel, GetDelivery, GetMyNotifications,
    GetNotificationOptions, GetNotificationRule, ListChannels, ListDeliveries, ListNotificationRules, PreviewNotification, RemoveChannel,
    RemoveNotificationRule, RetryDelivery, RotateChannelSecret, SetMyNotifications, TestChannel, Unsubscribe,
};

pub fn mount(to: &mut impl Mount) {
    to.read::<GetNotificationOptions>();
    to.read::<ListChannels>();
    to.write::<CreateChannel>();
    to.read::<GetChannel>();
    to.write::<ChangeChannel>();
    to.write::<RemoveChannel>();
    to.reach::<TestChannel>();
    to.write::<RotateChannelSecret>();
    to.read::<ListNotificationRules>();
    to.write::<CreateNotificationRule>();
    to.read::<GetNotificationRule>();
    to.write::<ChangeNotificationRule>();
    to.write::<RemoveNotificationRule>();
    to.read::<ListDeliveries>();
    to.read::<GetDelivery>();
    to.write::<RetryDelivery>();
    to.read::<PreviewNotification>();
    to.read::<GetMyNotifications>();
    to.write::<SetMyNotifications>();
    to.by_token::<Unsubscribe>();
}
