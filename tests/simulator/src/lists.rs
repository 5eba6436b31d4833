//! Lists of Macie, in pages.

use serde_json::json;

use crate::paging::{Pager, Walk};
use crate::seed::FaultKind;
use crate::wire::{Call, ServiceError};

/// A request for a list, with what cuts it into pages.
pub(crate) struct Lists<'a> {
    pub(crate) call: &'a Call,
    pub(crate) pager: &'a Pager,
    pub(crate) fault: Option<&'a FaultKind>,
}

impl Lists<'_> {
    /// The page that the query asks for, of at most 25 items.
    pub(crate) fn by_query(&self, name: &str, items: &[String]) -> Result<String, ServiceError> {
        let max_results = self.call.parameter("maxResults");
        let size = match max_results.map(str::parse) {
            None => 25,
            Some(Ok(number @ 1..=25)) => number,
            Some(_) => {
                let message = "maxResults is not a number from 1 to 25";
                return Err(ServiceError::validation(message));
            }
        };
        let only_associated = self.call.parameter("onlyAssociated");
        let parameters = format!("{max_results:?} {only_associated:?}");
        self.page(name, items, size, self.call.parameter("nextToken"), parameters)
    }

    /// The page that a token leads to, which is good for these parameters only.
    pub(crate) fn page<T: AsRef<str>>(
        &self,
        name: &str,
        items: &[T],
        size: usize,
        token: Option<&str>,
        parameters: String,
    ) -> Result<String, ServiceError> {
        let walk = Walk {
            api: self.call.operation.clone(),
            account: self.call.caller.account.clone(),
            region: self.call.caller.region.clone(),
            parameters,
        };
        let page = self.pager.page(&walk, token, size, items.len(), self.fault)?;
        let items: Vec<&str> = items[page.items].iter().map(AsRef::as_ref).collect();
        let (items, next) = (items.join(","), json!(page.next));
        Ok(format!("{{\"{name}\":[{items}],\"nextToken\":{next}}}"))
    }
}
