//! Calls functions over gRPC: one channel for each endpoint, v1 first, v1beta1 when a function does not have v1.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use prost::Message as _;
use purlin_proto::v1::function_runner_service_client::FunctionRunnerServiceClient as V1;
use purlin_proto::v1::{RunFunctionRequest, RunFunctionResponse};
use purlin_proto::v1beta1::function_runner_service_client::FunctionRunnerServiceClient as V1Beta1;
use tonic::Code;
use tonic::transport::Channel;

use crate::endpoint::{Plaintext, Tls, endpoint};
use crate::{Runner, RunnerError};

const WINDOW: u32 = 4 << 20;

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
    channel: Option<Channel>,
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

    async fn channel(&self, function: &str) -> Result<Channel, RunnerError> {
        let known = self.functions().get(function).cloned();
        let Some(Known {
            endpoint: target,
            channel,
        }) = known
        else {
            return Err(RunnerError::Unknown {
                function: function.to_owned(),
                help: "no endpoint is known for it".to_owned(),
            });
        };
        if let Some(channel) = channel {
            return Ok(channel);
        }
        let options = &self.options;
        let endpoint = endpoint(&target, options.tls.as_ref(), options.plaintext)
            .map_err(|reason| RunnerError::Endpoint {
                function: function.to_owned(),
                endpoint: target.clone(),
                reason,
            })?
            .connect_timeout(options.connect_timeout)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .http2_keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10))
            .tcp_nodelay(true);
        let channel = endpoint
            .connect()
            .await
            .map_err(|source| RunnerError::Connect {
                function: function.to_owned(),
                endpoint: target.clone(),
                source,
            })?;
        if let Some(known) = self.functions().get_mut(function)
            && known.endpoint == target
        {
            known.channel = Some(channel.clone());
        }
        Ok(channel)
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
        let channel = self.channel(function).await?;
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
        match answer {
            Ok(response) => Ok(response.into_inner()),
            Err(status) if status.code() == Code::OutOfRange => Err(RunnerError::TooLarge {
                function: function.to_owned(),
                reason: status.message().to_owned(),
            }),
            Err(status) => {
                if status.code() == Code::Unavailable {
                    self.disconnect(function);
                }
                Err(RunnerError::Call {
                    function: function.to_owned(),
                    status: Box::new(status),
                })
            }
        }
    }
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
