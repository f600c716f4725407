//! Which way of calling a function is meant, and what does it give?

use super::signature::{Bound, Signature, signatures};
use super::{Checker, Dialect, Ty};
use crate::ast::{Call, Node};
use crate::library::{self, Where};

impl<'s> Checker<'s, '_> {
    pub(super) fn call(&mut self, node: &Node, call: &Call) -> Ty<'s> {
        let args: Vec<Ty<'s>> = call.args.iter().map(|arg| self.infer(arg)).collect();
        self.called(node, call, &args)
    }

    /// A call whose arguments have these types.
    pub(super) fn called(&mut self, node: &Node, call: &Call, args: &[Ty<'s>]) -> Ty<'s> {
        let function = call.function;
        if self.dialect == Dialect::Core && !library::is_core(function) {
            return self.refuse(
                node,
                format!(
                    "there is no function `{}` here: only those of the language itself",
                    function.name
                ),
            );
        }
        let texts = |name| function.name == name && matches!(args.first(), Some(Ty::String(_)));
        if self.dialect == Dialect::Rules
            && (function.usable == Where::NotInRules || texts("reverse"))
        {
            return self.refuse(
                node,
                format!("there is no function `{}` in rules", function.name),
            );
        }
        let before = self.problems.len();
        self.literal_arguments(call);
        if self.problems.len() > before || args.iter().any(|ty| matches!(ty, Ty::Err)) {
            return self.guess(call, args);
        }
        match self.resolve(call, args) {
            Some(ty) => ty,
            None => self.no_such_call(node, call, args),
        }
    }

    /// The result where some argument is wrong already.
    fn guess(&self, call: &Call, args: &[Ty<'s>]) -> Ty<'s> {
        match self.resolve(call, args) {
            Some(ty) if matches!(ty, Ty::Bool | Ty::Int | Ty::String(_)) => ty,
            _ => Ty::Err,
        }
    }

    fn resolve(&self, call: &Call, args: &[Ty<'s>]) -> Option<Ty<'s>> {
        let key = (call.function.name, call.function.member);
        let mut found: Option<Ty<'s>> = None;
        for signature in signatures().get(&key)? {
            let Some(ty) = self.matches(signature, args) else {
                continue;
            };
            found = Some(match found {
                None => ty,
                Some(before) => before.join(ty),
            });
        }
        found
    }

    fn matches(&self, signature: &Signature, args: &[Ty<'s>]) -> Option<Ty<'s>> {
        let enough = signature.takes.len() == args.len()
            || signature.repeats && signature.takes.len() <= args.len();
        if !enough {
            return None;
        }
        let mut bound = Bound::default();
        let takes = signature.takes.iter();
        let last = signature.takes.last().into_iter().cycle();
        let fits = takes
            .chain(last)
            .zip(args)
            .all(|(sig, ty)| bound.takes(sig, ty, self.strict()));
        fits.then(|| bound.result(&signature.gives))
    }

    fn no_such_call(&mut self, node: &Node, call: &Call, args: &[Ty<'s>]) -> Ty<'s> {
        let function = call.function;
        let shown: Vec<String> = args.iter().map(ToString::to_string).collect();
        let message = match (function.member, shown.split_first()) {
            (true, Some((target, []))) => format!("`{}` does not take {target}", function.name),
            (true, Some((target, rest))) => format!(
                "`{}` of {target} does not take ({})",
                function.name,
                rest.join(", ")
            ),
            _ => format!("`{}` does not take ({})", function.name, shown.join(", ")),
        };
        if args.iter().any(|ty| matches!(ty, Ty::Optional(_))) {
            let help = "give the optional a default with `.orValue(…)`".to_owned();
            return self.refuse_with(node, message, help);
        }
        let key = (function.name, function.member);
        let ways = signatures()
            .get(&key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let ways: Vec<String> = ways
            .iter()
            .map(|way| format!("{way}"))
            .map(|way| way.split(" -> ").next().unwrap_or_default().to_owned())
            .collect();
        match ways.len() {
            1..=4 => self.refuse_with(node, message, format!("it is {}", ways.join(" or "))),
            _ => self.refuse(node, message),
        }
    }
}
