//! Episodes and what belongs to them.

use super::Reader;
use crate::IoError;
use crate::omop::Episode;
use crate::omop::row::Row;
use std::collections::{HashMap, HashSet};

impl Reader<'_> {
    pub(super) fn episodes(&mut self, rows: &[Row<'_>], events: &[Row<'_>]) -> Result<(), IoError> {
        let mut places = HashMap::new();
        for row in rows {
            self.others(row);
            let id = row.needed("episode_id")?;
            let Some(kind) = self.concept(row, "episode_concept_id")? else {
                self.leave_out_row(row, "the concept is 0 or not in the table of concepts");
                continue;
            };
            let origin = self.identity.origin;
            let start = row.time("episode_start_date", "episode_start_datetime", origin)?;
            let start = start.ok_or_else(|| row.place("episode_start_date").invalid("must not be empty"))?;
            let end = row.time("episode_end_date", "episode_end_datetime", origin)?;
            if end.is_some_and(|end| end < start) {
                return Err(row.place("episode_end_date").invalid("must not lie before the start"));
            }
            if places.insert(id, self.record.episodes.len()).is_some() {
                return Err(row.place("episode_id").invalid("the key is there twice"));
            }
            self.record.episodes.push(Episode {
                id,
                kind: kind.name,
                object: self.concept(row, "episode_object_concept_id")?.map(|object| object.name),
                start,
                end,
                parent: row.integer("episode_parent_id")?,
                number: row.integer("episode_number")?,
                events: Vec::new(),
            });
        }
        self.check_parents(rows)?;
        for row in events {
            let Some(place) = places.get(&row.needed("episode_id")?) else { continue };
            self.others(row);
            let field = self.concept(row, "episode_event_field_concept_id")?.map(|field| field.name);
            let table = field.as_deref().and_then(|field| field.split_once('.')).map(|(table, _)| table.to_owned());
            match (table, self.record.episodes.get_mut(*place)) {
                (Some(table), Some(episode)) => episode.events.push((table, row.needed("event_id")?)),
                _ => self.leave_out_row(row, "the concept of the field is not in the table of concepts"),
            }
        }
        Ok(())
    }

    /// Refuses episodes that are parts of themselves.
    fn check_parents(&self, rows: &[Row<'_>]) -> Result<(), IoError> {
        let parents: HashMap<i64, Option<i64>> = self.record.episodes.iter().map(|episode| (episode.id, episode.parent)).collect();
        // Episodes from which one without a parent is reached; each is passed once.
        let mut sound = HashSet::new();
        for episode in &self.record.episodes {
            let (mut path, mut next) = (HashSet::new(), Some(episode.id));
            while let Some(id) = next.filter(|id| !sound.contains(id)) {
                if !path.insert(id) {
                    let row = rows.iter().find(|row| matches!(row.integer("episode_id"), Ok(Some(key)) if key == id));
                    let place = row.map_or_else(Default::default, |row| row.place("episode_parent_id"));
                    return Err(place.invalid("an episode must not be a part of itself"));
                }
                next = parents.get(&id).copied().flatten();
            }
            sound.extend(path);
        }
        Ok(())
    }
}
