using Akka.Actor;
using Akka.Cluster;
using ControlPlane.Messages;

namespace ControlPlane.Host.Agents;

/// <summary>
/// Which node has the stream of a host's agent, when the host's bridge lives elsewhere. Nothing is announced and nothing
/// stored: a command whose way is not known goes to every node, the one that has the stream takes it and says so, and the next
/// commands go there alone.
/// </summary>
sealed class AgentRoutes(Func<ActorSystem> system, AgentStreams streams) : IHostedService
{
    const string Name = "agent-routes";

    IActorRef _routes = ActorRefs.Nobody;

    public void Send(DriveAgent drive) => _routes.Tell(new Outgoing(drive), ActorRefs.NoSender);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _routes = system().ActorOf(Props.Create(() => new Routes(streams)), Name);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // it ends with the actor system

    sealed record Outgoing(DriveAgent Drive) : INoSerializationVerificationNeeded;

    sealed class Routes : ReceiveActor
    {
        // Over it all are forgotten, and found again by the next commands.
        const int HostsMax = 10_000;

        readonly AgentStreams _streams;
        readonly Cluster _cluster = Cluster.Get(Context.System);
        readonly Dictionary<string, IActorRef> _nodes = new(StringComparer.Ordinal);

        public Routes(AgentStreams streams)
        {
            _streams = streams;
            Receive<Outgoing>(outgoing => Send(outgoing.Drive));
            Receive<DriveAgent>(Take);
            Receive<AgentIsHere>(here => Learn(here.Host, Sender));
            Receive<AgentNotHere>(not => Forget(host => host == not.Host, Sender.Path.Address));
            Receive<ClusterEvent.UnreachableMember>(lost => Forget(_ => true, lost.Member.Address));
            Receive<ClusterEvent.MemberRemoved>(lost => Forget(_ => true, lost.Member.Address));
            Receive<ClusterEvent.IClusterDomainEvent>(_ => { });
        }

        protected override void PreStart() => _cluster.Subscribe(
            Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.UnreachableMember), typeof(ClusterEvent.MemberRemoved));

        protected override void PostStop() => _cluster.Unsubscribe(Self);

        void Send(DriveAgent drive)
        {
            if (_nodes.TryGetValue(drive.Host, out var node))
            {
                node.Tell(drive, Self);
                return;
            }
            foreach (var member in _cluster.State.Members.Where(member => !member.UniqueAddress.Equals(_cluster.SelfUniqueAddress)))
            {
                Context.ActorSelection(new RootActorPath(member.Address) / "user" / Name).Tell(drive, Self);
            }
        }

        void Take(DriveAgent drive) => Sender.Tell(
            _streams.Hand(drive.Host, drive.Session, drive.Command) ? new AgentIsHere(drive.Host) : new AgentNotHere(drive.Host), Self);

        void Learn(string host, IActorRef node)
        {
            if (_nodes.Count >= HostsMax)
            {
                _nodes.Clear();
            }
            _nodes[host] = node;
        }

        void Forget(Func<string, bool> which, Address node)
        {
            foreach (var host in _nodes.Where(pair => which(pair.Key) && pair.Value.Path.Address.Equals(node)).Select(pair => pair.Key).ToList())
            {
                _nodes.Remove(host);
            }
        }
    }
}
