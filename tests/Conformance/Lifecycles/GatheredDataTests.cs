using System.Text;
using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>What a NIC's data path has gathered goes through its extensions into a save, and back into a data path (switch.md 4.1, 4.2).</summary>
public sealed class GatheredDataTests
{
    const uint P = 7;
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId Nic = EntityId.Nic("web", "eth0");
    static readonly NicRuntime Gathered = new(["02:00:00:00:00:01"], 3, [5, 0]);

    readonly World _world = new World().Connect("hv01");
    int _requests;

    DataPath Path => _world.Hosts["hv01"];

    public GatheredDataTests()
    {
        _world.DefineSwitch(Sw, DriftPolicy.Report, new ExtensionDefinition("filter.acl", ExtensionClass.Filter), new ExtensionDefinition("forward.learning", ExtensionClass.Forward));
        Does(OidCode.PortCreate, new PortParameters("p7"));
        Does(OidCode.NicCreate, new NicParameters("web--eth0", NicType.Synthetic, "web", PermanentMacAddress: "00:15:5d:00:00:07"));
        Does(OidCode.NicConnect);
        Path.Runtimes[Nic.Text] = Gathered;
    }

    [Fact]
    public void Save_has_what_the_data_path_gathered_and_restore_gives_it_back()
    {
        var blobs = Save();
        Assert.Equal(["filter.acl", "forward.learning"], blobs.Select(blob => blob.ExtensionFriendlyName));
        Assert.Equal("{\"version\":1,\"spoofedDropped\":3,\"aclHits\":[5,0]}", Encoding.UTF8.GetString(Convert.FromBase64String(blobs[0].Data)));
        Assert.Equal(["00:15:5d:00:00:07", "02:00:00:00:00:01"], Learned(blobs[1]));

        Does(OidCode.NicDisconnect);
        Does(OidCode.NicDelete);
        Does(OidCode.NicCreate, new NicParameters("web--eth0", NicType.Synthetic, "web", PermanentMacAddress: "00:15:5d:00:00:07"));
        Does(OidCode.NicConnect);
        var taken = ((NicDataRestored)_world.Do(Sw, new RestoreNicData("p7", 0, blobs)).Reply!).Blobs;
        Assert.Equal(["filter.acl", "forward.learning"], taken.Select(blob => blob.Owner));
        var now = Path.Runtimes[Nic.Text];
        Assert.Equal(3, now.SpoofedDropped);
        Assert.Equal([5, 0], now.AclHits);
        Assert.Equal(["00:15:5d:00:00:07", "02:00:00:00:00:01"], now.Learned);
        Assert.Equal(blobs, Save());
    }

    [Theory]
    [InlineData(0, "{'version':1,'spoofedDropped':-1,'aclHits':[]}")]
    [InlineData(0, "{'version':1,'spoofedDropped':9007199254740992,'aclHits':[]}")]
    [InlineData(0, "{'version':1,'spoofedDropped':0,'aclHits':[1,-1]}")]
    [InlineData(0, "{'version':1,'spoofedDropped':0,'aclHits':[9223372036854775807]}")]
    [InlineData(0, "{'version':1,'spoofedDropped':0,'aclHits':257}")]
    [InlineData(1, "{'version':1,'learned':[null]}")]
    [InlineData(1, "{'version':1,'learned':['']}")]
    [InlineData(1, "{'version':1,'learned':['00-15-5D-00-00-07']}")]
    [InlineData(1, "{'version':1,'learned':['02:00:00:00:00:1']}")]
    [InlineData(1, "{'version':1,'learned':257}")]
    public void S12_Blob_that_no_data_path_can_have_gathered_fails_the_restore_and_reaches_no_host(int extension, string hostile)
    {
        var many = string.Join(',', Enumerable.Range(0, 257).Select(n => extension == 0 ? "0" : $"'02:00:00:00:{n / 256:x2}:{n % 256:x2}'"));
        var blob = Save()[extension] with
        {
            Data = Convert.ToBase64String(Encoding.UTF8.GetBytes(hostile.Replace("257", $"[{many}]", StringComparison.Ordinal).Replace('\'', '"'))),
        };
        Assert.Equal(("nic.restore.failed", "S12"), Problem(new RestoreNicData("p7", 0, [blob])));
        Assert.Equal(NdisStatus.InvalidParameter, _world.Rows(Sw).Select(row => row.Event).OfType<RestoreFailed>().Single().Status);
        Assert.DoesNotContain(Path.Carried, command => command.Verb == DriverVerb.RestoreNic);
        Assert.Equal(Gathered, Path.Runtimes[Nic.Text]);
    }

    [Fact]
    public void Restore_that_the_nic_rejects_changes_nothing_in_its_data_path()
    {
        var blobs = Save();
        Does(OidCode.NicSave);
        Assert.Equal(("nic.restore.other-open", "switch.md 11"), Problem(new RestoreNicData("p7", 0, blobs)));
        var restore = new OidRequest("lone", OidCode.NicRestore, P, 0, new NicRestoreParameters(blobs[0].ExtensionId, blobs[0].Data));
        Assert.Equal("nic.restore.other-open", _world.Oid(Sw, restore).Refusal?.Code);
        Assert.DoesNotContain(Path.Carried, command => command.Verb == DriverVerb.RestoreNic);
    }

    [Fact]
    public void S07_Data_path_that_cannot_be_read_fails_the_save_and_the_nic_goes_on()
    {
        Path.Plant(DriverVerb.ReadNic, NdisStatus.Failure);
        Assert.Equal(("nic.save.failed", "S07"), Problem(new SaveNicData("p7", 0)));
        Assert.Equal(2, Save().Count);
    }

    [Fact]
    public void S12_Data_path_that_does_not_take_it_fails_the_restore()
    {
        var blobs = Save();
        Path.Plant(DriverVerb.RestoreNic, NdisStatus.Failure);
        Assert.Equal(("nic.restore.failed", "S12"), Problem(new RestoreNicData("p7", 0, blobs)));
        Assert.Contains(_world.Rows(Sw), row => row.Event is RestoreFailed);
        Assert.Equal(2, ((NicDataRestored)_world.Do(Sw, new RestoreNicData("p7", 0, blobs)).Reply!).Blobs.Count);
    }

    [Fact]
    public void Save_survives_a_crash_at_every_step()
    {
        var blobs = Save();
        for (var steps = 1; steps < 60; steps += 3)
        {
            var question = _world.Ask(Sw, $"crash-{steps}", new SaveNicData("p7", 0));
            for (var step = 0; step < steps && _world.Busy; step++)
            {
                _world.Step();
            }
            _world.Crash(Sw, withSnapshot: steps % 2 == 0);
            _world.Settle();
            Assert.Equal(blobs, ((NicDataSaved)question.Answer!.Reply!).Blobs);
        }
    }

    IReadOnlyList<NicBlob> Save() => ((NicDataSaved)_world.Do(Sw, new SaveNicData("p7", 0)).Reply!).Blobs;

    (string?, string?) Problem(Command command)
    {
        var refusal = _world.Do(Sw, command).Refusal;
        return (refusal?.Code, refusal?.Rule);
    }

    static List<string?> Learned(NicBlob blob)
    {
        using var table = JsonDocument.Parse(Convert.FromBase64String(blob.Data));
        return [.. table.RootElement.GetProperty("learned").EnumerateArray().Select(address => address.GetString())];
    }

    void Does(OidCode oid, OidParameters? parameters = null)
    {
        var outcome = _world.Oid(Sw, new OidRequest($"r{++_requests}", oid, P, 0, parameters)).Reply as OidOutcome;
        Assert.Equal(NdisStatus.Success, outcome?.Status);
    }
}
