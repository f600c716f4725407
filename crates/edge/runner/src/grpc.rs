//! Calls functions over gRPC: one channel for each endpoint, v1 first, v1beta1 when a function does not have v1.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use prost::Message as _;
use purlin_proto::v1::function_runner_service_client::FunctionRunnerServiceClient as V1;
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};
use purlin_proto::v1beta1::function_runner_service_client::FunctionRunnerServiceClient as V1Beta1;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::endpoint::{Plaintext, Stamp, Tls, endpoint};
use crate::{Runner, RunnerError, tls_error};

/// How often a call is made whose connection is lost: a server may be replaced, and each of two asks us to come again.
const TRIES: usize = 3;
const WINDOW: u32 = 4 << 20;
/// How often and how soon certificates that do not fit together are looked at again.
const LOOKS: usize = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How functions elsewhere are called.
#[derive(Debug, Clone)]
pub struct GrpcOptions {
    /// The client's certificate and the authority of the functions.
    pub tls: Option<Tls>,
    /// Where plain text is allowed; there it is also what is used.
    pub plaintext: Plaintext,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// How large a message may be, in bytes.
    pub max_message_size: usize,
}

impl Default for GrpcOptions {
    fn default() -> Self {
        Self {
            tls: None,
            plaintext: Plaintext::Never,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_mins(1),
            max_message_size: 64 << 20,
        }
    }
}

/// Calls functions at their endpoints. Cloning shares the channels.
#[derive(Debug, Clone)]
pub struct Grpc {
    options: Arc<GrpcOptions>,
    functions: Arc<Mutex<BTreeMap<String, Known>>>,
}

#[derive(Debug, Clone)]
struct Known {
    endpoint: String,
    /// Set once a connection was made; it reconnects on its own.
    channel: Option<Kept>,
}

/// A channel, and the certificates it was made with.
#[derive(Debug, Clone)]
struct Kept {
    channel: Channel,
    stamp: Option<Stamp>,
}

impl Grpc {
    /// Knows no function yet.
    pub fn new(options: GrpcOptions) -> Self {
        Self {
            options: Arc::new(options),
            functions: Arc::default(),
        }
    }

    /// Says where a function is. Its channel is replaced when it was somewhere else.
    pub fn set_endpoint(&self, function: &str, endpoint: &str) {
        let mut functions = self.functions();
        if functions
            .get(function)
            .is_some_and(|known| known.endpoint == endpoint)
        {
            return;
        }
        let known = Known {
            endpoint: endpoint.to_owned(),
            channel: None,
        };
        functions.insert(function.to_owned(), known);
    }

    /// Forgets the functions for which `keep` says no, and closes their channels.
    pub fn retain(&self, mut keep: impl FnMut(&str) -> bool) {
        self.functions().retain(|function, _| keep(function));
    }

    /// Whether it was said where the function is.
    pub fn knows(&self, function: &str) -> bool {
        self.functions().contains_key(function)
    }

    fn functions(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A channel to a function: the one there is, unless the certificates changed since it was made.
    async fn channel(&self, function: &str) -> Result<Channel, RunnerError> {
        let known = self.functions().get(function).cloned();
        let Some(Known {
            endpoint: target,
            channel: kept,
        }) = known
        else {
            return Err(RunnerError::Unknown {
                function: function.to_owned(),
                help: "no endpoint is known for it".to_owned(),
            });
        };
        // Taken before the files are read: what changes in between is seen the next time.
        let stamp = self.options.tls.as_ref().map(Tls::stamp);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.stamp == stamp) {
            return Ok(kept.channel.clone());
        }
        let channel = match (self.connect(function, &target).await, kept) {
            (Ok(channel), _) => channel,
            (Err(error @ RunnerError::Endpoint { .. }), Some(kept)) => {
                // Files may be half-written. What works is used until they can be read.
                tracing::warn!(
                    function, %error,
                    "the client's TLS files changed and cannot be used; going on with the old ones"
                );
                return Ok(kept.channel);
            }
            (Err(error), _) => return Err(error),
        };
        if let Some(known) = self.functions().get_mut(function)
            && known.endpoint == target
        {
            known.channel = Some(Kept {
                channel: channel.clone(),
                stamp,
            });
        }
        Ok(channel)
    }

    async fn connect(&self, function: &str, target: &str) -> Result<Channel, RunnerError> {
        let options = &self.options;
        let endpoint = self
            .endpoint(target)
            .await
            .map_err(|reason| RunnerError::Endpoint {
                function: function.to_owned(),
                endpoint: target.to_owned(),
                reason,
            })?
            .connect_timeout(options.connect_timeout)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .http2_keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .tcp_nodelay(true);
        endpoint.connect().await.map_err(|source| {
            self.untrusted(function, &source)
                .unwrap_or_else(|| RunnerError::Connect {
                    function: function.to_owned(),
                    endpoint: target.to_owned(),
                    source,
                })
        })
    }

    /// Files that do not fit together may be in the middle of being replaced, one after the other: they are given a moment.
    async fn endpoint(&self, target: &str) -> Result<Endpoint, String> {
        let options = &self.options;
        let mut looks = 0;
        loop {
            let stamp = options.tls.as_ref().map(Tls::stamp);
            let made = endpoint(target, options.tls.as_ref(), options.plaintext);
            if made.is_ok() || stamp.is_none() {
                return made;
            }
            while options.tls.as_ref().map(Tls::stamp) == stamp {
                if looks == LOOKS {
                    return made;
                }
                looks += 1;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }

    /// The error to give when a connection failed because of TLS.
    fn untrusted(
        &self,
        function: &str,
        error: &(dyn std::error::Error + 'static),
    ) -> Option<RunnerError> {
        let tls = self.options.tls.as_ref()?;
        let reason = tls_error::reason(error, &tls.folder)?;
        let endpoint = self
            .functions()
            .get(function)
            .map(|known| known.endpoint.clone());
        Some(RunnerError::Tls {
            function: function.to_owned(),
            endpoint: endpoint.unwrap_or_default(),
            reason,
        })
    }

    /// Makes the next call connect anew, with certificates as they are then.
    fn disconnect(&self, function: &str) {
        if let Some(known) = self.functions().get_mut(function) {
            known.channel = None;
        }
    }

    async fn call(
        &self,
        function: &str,
        request: RunFunctionRequest,
    ) -> Result<RunFunctionResponse, RunnerError> {
        let limit = self.options.max_message_size;
        let size = request.encoded_len();
        if size > limit {
            return Err(RunnerError::TooLarge {
                function: function.to_owned(),
                reason: format!("the request has {size} bytes, the limit is {limit}"),
            });
        }
        let mut tries = 0;
        let status = loop {
            let channel = self.channel(function).await?;
            let status = match self.ask(channel, request.clone()).await {
                Ok(response) => return Ok(response),
                Err(status) => status,
            };
            tries += 1;
            if !is_lost(&status) {
                break status;
            }
            // The connection may lead to a server that is gone, or that asked us to come again. Functions compute, and
            // change nothing, so that asking again does no harm.
            self.disconnect(function);
            if tries == TRIES {
                break status;
            }
        };
        if status.code() == Code::OutOfRange {
            return Err(RunnerError::TooLarge {
                function: function.to_owned(),
                reason: status.message().to_owned(),
            });
        }
        let untrusted = self.untrusted(function, &status);
        Err(untrusted.unwrap_or_else(|| RunnerError::Call {
            function: function.to_owned(),
            status: Box::new(status),
        }))
    }

    /// Asks in v1, and in v1beta1 where there is no v1.
    async fn ask(
        &self,
        channel: Channel,
        request: RunFunctionRequest,
    ) -> Result<RunFunctionResponse, Status> {
        let limit = self.options.max_message_size;
        let mut v1 = V1::new(channel.clone())
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit);
        let answer = match v1.run_function(request.clone()).await {
            Err(status) if status.code() == Code::Unimplemented => {
                let mut v1beta1 = V1Beta1::new(channel)
                    .max_decoding_message_size(limit)
                    .max_encoding_message_size(limit);
                v1beta1.run_function(request).await
            }
            answer => answer,
        };
        answer.map(tonic::Response::into_inner)
    }
}

/// Whether the connection failed, and not the call: what a server says has no source.
fn is_lost(status: &Status) -> bool {
    status.code() == Code::Unavailable || std::error::Error::source(status).is_some()
}

#[async_trait]
impl Runner for Grpc {
    async fn run(
        &self,
        function: &str,
        request: RunFunctionRequest,
    ) -> Result<RunFunctionResponse, RunnerError> {
        let after = self.options.timeout;
        match tokio::time::timeout(after, self.call(function, request)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(RunnerError::Timeout {
                function: function.to_owned(),
                after,
            }),
        }
    }
}
